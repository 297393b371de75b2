/**
 * Limits on what a server answers, one mechanism for all who read answers: teachers, students on servers, Tinker, the
 * Hub and downloads. A server may send nothing, keep its connection alive without content, or never end.
 */

export interface AnswerLimits {
  /** Longest time without a byte, in milliseconds. */
  silenceMs: number;
  /** Longest time without content, in milliseconds, whatever else arrives. Absent: the reader reports no content. */
  contentMs?: number;
  /** Longest time of the whole answer, in milliseconds. */
  totalMs?: number;
  /** Most bytes of the whole answer. */
  bytes?: number;
  /** Most bytes without content. */
  emptyBytes?: number;
}

/** An answer was abandoned at a limit, which the message gives without naming the server. */
export class AnswerCutOff extends Error {
  constructor(
    message: string,
    /** Something arrived, so that another attempt will hardly help. */
    readonly arrived: boolean,
  ) {
    super(message);
  }
}

const seconds = (ms: number) => `${ms / 1000} s`;
const size = (bytes: number) => (bytes < 1 << 20 ? `${bytes} bytes` : `${Math.round(bytes / (1 << 20))} MB`);

/** Watches one answer: aborts `signal` at a limit (its reason is an AnswerCutOff), or with the user's signal. */
export class AnswerWatch {
  private readonly controller = new AbortController();
  private silence: NodeJS.Timeout | undefined;
  private readonly content: NodeJS.Timeout | undefined;
  private readonly whole: NodeJS.Timeout | undefined;
  private received = 0;
  private empty = 0;
  /** Why the answer was abandoned. */
  cutOff: AnswerCutOff | undefined;

  constructor(
    private readonly limits: AnswerLimits,
    private readonly outer?: AbortSignal,
  ) {
    const { contentMs, totalMs } = limits;
    this.heard(); // first, so that silence is reported as such
    if (contentMs !== undefined)
      this.content = this.after(contentMs, `nothing but signs of life arrived for ${seconds(contentMs)}`);
    if (totalMs !== undefined) this.whole = this.after(totalMs, `the answer did not end in ${seconds(totalMs)}`);
    outer?.addEventListener('abort', this.stop);
    if (outer?.aborted) this.stop();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The server sent bytes, or answered at all. */
  heard(): void {
    clearTimeout(this.silence);
    if (this.signal.aborted) return; // data in transit that no request waits for
    const { silenceMs } = this.limits;
    this.silence = this.after(silenceMs, `nothing arrived for ${seconds(silenceMs)}`);
  }

  /** No request waits for the server until `heard`. */
  pause(): void {
    clearTimeout(this.silence);
  }

  /** The server sent this many bytes. @throws the signal's reason if that is too much */
  took(bytes: number): void {
    this.heard();
    this.received += bytes;
    this.empty += bytes;
    const { bytes: most, emptyBytes } = this.limits;
    if (most !== undefined && this.received > most) this.giveUp(`more than ${size(most)} arrived`);
    if (emptyBytes !== undefined && this.empty > emptyBytes)
      this.giveUp(`more than ${size(emptyBytes)} arrived without content`);
    this.signal.throwIfAborted();
  }

  /** Content arrived: the answer makes progress. */
  progressed(): void {
    this.empty = 0;
    this.content?.refresh();
  }

  /** The result of `work`, which may ignore the signal. @throws the signal's reason */
  async race<T>(work: PromiseLike<T>): Promise<T> {
    let stop = () => {};
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(this.signal.reason);
      this.signal.addEventListener('abort', stop);
      if (this.signal.aborted) stop();
    });
    try {
      return await Promise.race([work, aborted]);
    } finally {
      this.signal.removeEventListener('abort', stop);
    }
  }

  /** The answer is complete or no longer read: closes the connection if it is still open. */
  end(): void {
    for (const timer of [this.silence, this.content, this.whole]) clearTimeout(timer);
    this.outer?.removeEventListener('abort', this.stop);
    this.controller.abort();
  }

  private after(ms: number, reason: string): NodeJS.Timeout {
    return setTimeout(() => this.giveUp(reason), ms).unref();
  }

  private giveUp(reason: string): void {
    if (this.signal.aborted) return;
    this.cutOff = new AnswerCutOff(reason, this.received > 0);
    this.controller.abort(this.cutOff);
  }

  private readonly stop = () => this.controller.abort(this.outer?.reason);
}

/** Like fetch, with limits: at one of them, fetch itself or the reader of the body gets an AnswerCutOff. */
export async function fetchWithin(
  limits: AnswerLimits,
  url: string | URL,
  request: RequestInit = {},
): Promise<Response> {
  const watch = new AnswerWatch(limits, request.signal ?? undefined);
  try {
    const answer = await fetch(url, { ...request, signal: watch.signal });
    const { status, statusText, headers, body } = answer;
    if (body) return new Response(watchedBody(body, watch), { status, statusText, headers });
    watch.end();
    return answer;
  } catch (error) {
    watch.end();
    throw error;
  }
}

/** Closes the connection of an answer if it was not read to its end. */
export async function release(answer: Response): Promise<void> {
  await answer.body?.cancel().catch(() => {}); // it may have failed
}

/** The server is waited for only while a piece is asked for: the disk of a download may be slow. */
function watchedBody(body: ReadableStream<Uint8Array>, watch: AnswerWatch): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  watch.pause();
  return new ReadableStream(
    {
      async pull(to) {
        try {
          watch.heard();
          const { done, value } = await reader.read();
          if (done) {
            watch.end();
            to.close();
          } else {
            watch.took(value.length);
            watch.pause();
            to.enqueue(value);
          }
        } catch (error) {
          watch.end();
          throw error;
        }
      },
      cancel: (reason) => reader.cancel(reason).finally(() => watch.end()),
    },
    { highWaterMark: 0 },
  );
}
