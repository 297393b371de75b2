/** The client of an OpenAI-compatible endpoint: what servers say in other ways than OpenAI's, it hears as OpenAI's. */
import type OpenAI from 'openai';

/** A client that repeats nothing by itself, follows no redirect (questions go where the user was told), and reads no environment. */
export async function connect(url: URL, apiKey: string | undefined, watch: Watch): Promise<OpenAI> {
  // When first needed: the package is large, and the extension is to start quickly.
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

/** Aborts with the user's signal, and when the server has been silent for too long. */
export class Watch {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  silent = false;

  constructor(
    private readonly outer: AbortSignal,
    private readonly silenceMs: number,
  ) {
    outer.addEventListener('abort', this.stop);
    if (outer.aborted) this.stop();
    this.heard();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(): void {
    clearTimeout(this.timer);
    if (this.signal.aborted) return; // what was still on its way: nobody waits for more
    this.timer = setTimeout(() => {
      this.silent = true;
      this.stop();
    }, this.silenceMs);
  }

  end(): void {
    clearTimeout(this.timer);
    this.outer.removeEventListener('abort', this.stop);
    this.controller.abort();
  }

  private readonly stop = () => this.controller.abort();
}

/**
 * A response as the client reads it. Every byte of a stream counts as a word of the server, also the comments by which some keep a
 * connection alive while a question waits (DeepSeek, OpenRouter); a whole reply in place of a stream is a stream of one event.
 */
async function asStream(response: Response, watch: Watch): Promise<Response> {
  const { status, statusText, ok } = response;
  const headers = new Headers(response.headers);
  for (const name of ['content-length', 'content-encoding']) headers.delete(name); // of the body as it was sent
  const as = (body: ReadableStream | string | null) => new Response(body, { status, statusText, headers });
  const heard = new TransformStream<Uint8Array, Uint8Array>({
    start: () => watch.heard(),
    transform(bytes, out) {
      watch.heard();
      out.enqueue(bytes);
    },
  });
  const body = as(response.body?.pipeThrough(heard) ?? null);
  if (!/^application\/json\b/i.test(headers.get('content-type') ?? '')) return body;
  const text = await body.text();
  if (!ok) return as(asFault(text));
  return as(/^\s*\{/.test(text) ? `data: ${text.replace(/[\r\n]+/g, ' ')}\n\ndata: [DONE]\n\n` : text);
}

/**
 * The body of a refusal as OpenAI's `{error: {message, param, code}}`. Others say it flat (`{object: "error", message}`, older vLLM), or as
 * FastAPI does: `{detail: "..."}`, `{detail: [{loc: ["body", "seed"], msg}]}`.
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
