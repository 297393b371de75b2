/** The client of an OpenAI-compatible endpoint: converts deviating responses of servers to OpenAI's form. */
import type OpenAI from 'openai';
import { type AnswerLimits, AnswerWatch } from '../answer-limits';

/** A client without automatic retries, redirects (questions only go to the given address) or environment variables. */
export async function connect(url: URL, apiKey: string | undefined, watch: ReplyWatch): Promise<OpenAI> {
  // Loaded on first use: the package is large, and the extension must start quickly.
  const { default: Client } = await import('openai');
  return new Client({
    baseURL: url.href,
    apiKey: apiKey ?? 'none',
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: 24 * 3600_000 * 7, // `watch` has the limits
    logLevel: 'off',
    defaultHeaders: apiKey === undefined ? { Authorization: null } : {},
    fetchOptions: { redirect: 'error' },
    fetch: async (input, init) => asStream(await fetch(input, init), watch),
  });
}

/** Limits that depend on the teacher; see AnswerLimits. */
export type ReplyLimits = Required<Pick<AnswerLimits, 'silenceMs' | 'contentMs' | 'totalMs'>>;

/**
 * Servers with a queue send comments until it is a request's turn; DeepSeek ends such a request after ten minutes
 * (https://api-docs.deepseek.com/quick_start/rate_limit). Others generate text, or are lost.
 */
export const replyLimits = (silenceMs = 120_000): ReplyLimits => ({
  silenceMs,
  contentMs: 5 * silenceMs,
  totalMs: Math.max(4 * 3600_000, 5 * silenceMs),
});

/** For the longest accepted reply: in all, with each token in an event of its own; and as one event or JSON object. */
const sizes = { bytes: 256 << 20, emptyBytes: 16 << 20 };

/** Watches one reply. */
export class ReplyWatch extends AnswerWatch {
  /** The stream was marked as complete (`data: [DONE]`). */
  done = false;

  constructor(limits: ReplyLimits, signal: AbortSignal) {
    super({ ...limits, ...sizes }, signal);
  }
}

/**
 * A response as the client sees it. Every byte of a stream is a sign of life, including the comments by which some
 * servers keep a connection alive while a question is queued (DeepSeek, OpenRouter), but only text is content; a
 * complete reply in place of a stream becomes a stream of one event.
 */
async function asStream(response: Response, watch: ReplyWatch): Promise<Response> {
  const { status, statusText, ok } = response;
  const headers = new Headers(response.headers);
  for (const name of ['content-length', 'content-encoding']) headers.delete(name); // of the body as sent
  const as = (body: ReadableStream | string | null) => new Response(body, { status, statusText, headers });
  const isJson = /^application\/json\b/i.test(headers.get('content-type') ?? '');
  const body = as(response.body?.pipeThrough(ok && !isJson ? events(watch) : counted(watch)) ?? null);
  if (!isJson) return body;
  const text = await body.text();
  if (!ok) return as(asFault(text));
  watch.done = true;
  return as(/^\s*\{/.test(text) ? `data: ${text.replace(/[\r\n]+/g, ' ')}\n\ndata: [DONE]\n\n` : text);
}

const counted = (watch: ReplyWatch): TransformStream<Uint8Array, Uint8Array> =>
  new TransformStream({
    start: () => watch.heard(),
    transform(bytes, out) {
      watch.took(bytes.length);
      out.enqueue(bytes);
    },
  });

/** Two line ends in a row, each of them CR LF, LF or CR (https://html.spec.whatwg.org/#parsing-an-event-stream). */
const emptyLine = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))/;

/**
 * Passes on complete events with data, one at a time, and nothing else: the client scans an incomplete event again with
 * each new piece, and copies the rest of a piece for each of its empty lines, which both take minutes for a few
 * megabytes.
 */
function events(watch: ReplyWatch): TransformStream<Uint8Array, Uint8Array> {
  // One character per byte.
  let held: string[] = [];
  let tail = ''; // a possible beginning of an empty line, split by the network
  const pass = (event: string, out: TransformStreamDefaultController<Uint8Array>) => {
    if (/(?:^|[\r\n])data:[ \t]*\S/.test(event)) out.enqueue(Buffer.from(`${event}\n\n`, 'latin1'));
    watch.done = /(?:^|[\r\n])data: ?\[DONE\]/.test(event);
    if (watch.done) out.terminate(); // whatever follows
  };
  return new TransformStream({
    start: () => watch.heard(),
    transform(bytes, out) {
      watch.took(bytes.length);
      const text = Buffer.from(bytes).toString('latin1');
      held.push(text);
      const ended = emptyLine.test(tail + text);
      tail = (tail + text).slice(-3);
      if (!ended) return;
      const parts = held.join('').split(emptyLine);
      held = [parts.pop()!];
      for (const part of parts) if (!watch.done) pass(part, out);
    },
    flush: (out) => pass(held.join(''), out),
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
