/** The client of an OpenAI-compatible endpoint: converts deviating responses of servers to OpenAI's form. */
import type OpenAI from 'openai';

/** A client without automatic retries, redirects (questions only go to the given address) or environment variables. */
export async function connect(url: URL, apiKey: string | undefined, watch: ReplyWatchdog): Promise<OpenAI> {
  // Loaded on first use: the package is large, and the extension must start quickly.
  const { default: Client } = await import('openai');
  return new Client({
    baseURL: url.href,
    apiKey: apiKey ?? 'none',
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: 24 * 3600_000, // `Watch` is the one that waits
    logLevel: 'off',
    defaultHeaders: apiKey === undefined ? { Authorization: null } : {},
    fetchOptions: { redirect: 'error' },
    fetch: async (input, init) => asStream(await fetch(input, init), watch),
  });
}

export interface Limits {
  /** Timeout for silence of the server, in milliseconds: before the first data and between two pieces. */
  silenceMs: number;
  /** Maximum duration of a reply, in milliseconds. */
  replyMs: number;
}

/** Maximum bytes of a streamed reply: the longest accepted one, with each token in an event of its own. */
const maxStreamBytes = 256 << 20;
/** Maximum bytes of one event of a stream, or of a reply that is a single JSON object. */
const maxEventBytes = 16 << 20;

/** Aborts on the user's signal, and when the server is silent for too long, never ends, or sends too much. */
export class ReplyWatchdog {
  private readonly controller = new AbortController();
  private readonly whole: NodeJS.Timeout;
  private silence: NodeJS.Timeout | undefined;
  private bytes = 0;
  /** The reason for giving up. */
  reason: string | undefined;
  /** The stream was marked as complete (`data: [DONE]`). */
  done = false;

  constructor(
    private readonly outer: AbortSignal,
    private readonly limits: Limits,
  ) {
    outer.addEventListener('abort', this.stop);
    if (outer.aborted) this.stop();
    this.whole = setTimeout(() => this.giveUp(`no end of the reply in ${limits.replyMs / 1000} s`), limits.replyMs);
    this.heard();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The server sent bytes, or answered at all. */
  heard(): void {
    clearTimeout(this.silence);
    if (this.signal.aborted) return; // data in transit that nobody waits for
    const { silenceMs } = this.limits;
    this.silence = setTimeout(() => this.giveUp(`no data for ${silenceMs / 1000} s`), silenceMs);
  }

  /** The server sent this many bytes; `waiting` are those of an incomplete event. */
  took(bytes: number, waiting: number): void {
    this.heard();
    this.bytes += bytes;
    for (const [size, most] of [
      [this.bytes, maxStreamBytes],
      [waiting, maxEventBytes],
    ])
      if (size > most) this.giveUp(`more than ${most >> 20} MB in one reply`);
  }

  end(): void {
    clearTimeout(this.silence);
    clearTimeout(this.whole);
    this.outer.removeEventListener('abort', this.stop);
    this.controller.abort();
  }

  private giveUp(reason: string): void {
    this.reason ??= reason;
    this.stop();
  }

  private readonly stop = () => this.controller.abort();
}

/**
 * A response as the client sees it. Every byte of a stream counts as a sign of life, including the comments by which
 * some servers keep a connection alive while a question is queued (DeepSeek, OpenRouter); a complete reply in place of
 * a stream becomes a stream of one event.
 */
async function asStream(response: Response, watch: ReplyWatchdog): Promise<Response> {
  const { status, statusText, ok } = response;
  const headers = new Headers(response.headers);
  for (const name of ['content-length', 'content-encoding']) headers.delete(name); // of the body as sent
  const as = (body: ReadableStream | string | null) => new Response(body, { status, statusText, headers });
  const body = as(response.body?.pipeThrough(wholeEvents(watch)) ?? null);
  if (!/^application\/json\b/i.test(headers.get('content-type') ?? '')) return body;
  const text = await body.text();
  if (!ok) return as(asFault(text));
  watch.done = true;
  return as(/^\s*\{/.test(text) ? `data: ${text.replace(/[\r\n]+/g, ' ')}\n\ndata: [DONE]\n\n` : text);
}

/**
 * Passes on only complete events: the client scans an incomplete one again with each new piece, which takes minutes for
 * a few megabytes.
 */
function wholeEvents(watch: ReplyWatchdog): TransformStream<Uint8Array, Uint8Array> {
  let held: Uint8Array[] = [];
  let waiting = 0;
  let tail = '\n'; // a possible beginning of an event's end, or of the last mark, split by the network
  return new TransformStream({
    start: () => watch.heard(),
    transform(bytes, out) {
      const text = tail + Buffer.from(bytes).toString('latin1');
      tail = text.slice(-16);
      watch.done ||= /\ndata: ?\[DONE\]/.test(text);
      held.push(bytes);
      waiting += bytes.length;
      watch.took(bytes.length, waiting);
      watch.signal.throwIfAborted();
      if (!/\n\r?\n/.test(text)) return;
      out.enqueue(Buffer.concat(held));
      held = [];
      waiting = 0;
    },
    flush: (out) => out.enqueue(Buffer.concat(held)),
  });
}

/**
 * The body of an error as OpenAI's `{error: {message, param, code}}`. Others send it flat (`{object: "error",
 * message}`, older vLLM), or like FastAPI: `{detail: "..."}`, `{detail: [{loc: ["body", "seed"], msg}]}`.
 */
function asFault(body: string): string {
  let said: Record<string, unknown>;
  try {
    said = JSON.parse(body);
    if (typeof said !== 'object' || said === null || (said.error ?? null) !== null) return body;
  } catch {
    return body;
  }
  const { detail, message } = said;
  const first = Array.isArray(detail) ? (detail[0] as { loc?: unknown; msg?: unknown } | null) : null;
  if (first === null || !Array.isArray(first?.loc))
    return JSON.stringify({ error: { ...said, message: message ?? detail ?? body } });
  const param = first.loc.find((part) => part !== 'body');
  return JSON.stringify({ error: { message: `${param}: ${first.msg}`, param } });
}
