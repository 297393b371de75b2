/** A connection to an engine: one request at a time, each with progress, cancellation and a timeout for silence. */
import * as z from 'zod';
import { UserError } from '../../errors';
import { EngineChild, type EngineCommand } from './child';
import { EngineLost, errorOf, RequestCancelled } from './faults';
import { type EngineMessage, FrameReader, frameOf } from './frames';
import {
  type EngineMethod,
  type EngineParams,
  type EngineProgress,
  type EngineResult,
  engineProtocol,
  type Hello,
  methods,
  progress,
} from './wire';

/** Milliseconds. */
export interface Timeouts {
  /** From the start to the first answer, without a sign of life: a queue or a slow disk may take long. */
  start: number;
  /** Between two messages of a working engine. */
  silence: number;
  /** From closing its input to its exit. */
  end: number;
}

const defaultTimeouts: Timeouts = {
  start: 1000 * (Number(process.env.DISTILLERY_ENGINE_START_SECONDS) || 300),
  silence: 30_000,
  end: 10_000,
};

export interface EngineRequestOptions {
  signal?: AbortSignal;
  progress?: (progress: EngineProgress) => void;
}

/** The request in progress. */
interface PendingRequest {
  id: number;
  method: EngineMethod;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  progress?: (progress: EngineProgress) => void;
}

export class EngineConnection {
  private readonly child: EngineChild;
  private readonly reader: FrameReader;
  private waiting?: PendingRequest;
  private turn: Promise<unknown> = Promise.resolve();
  private count = 0;
  /**
   * Watchdog ticks since the last sign of life. Ticks and not time: while this process is busy, it receives nothing and
   * ticks only once.
   */
  private silentTicks = 0;
  private backlog = 0;
  private lostError?: EngineLost;

  /** Starts the process; `hello` must follow. */
  constructor(
    readonly command: EngineCommand,
    private readonly timeouts: Timeouts = defaultTimeouts,
  ) {
    this.child = new EngineChild(command, (bytes) => this.onOutput(bytes));
    this.reader = new FrameReader((text) => this.child.note(text));
    void this.child.ended.then((how) => this.lose(how));
  }

  /** Starts an engine and says hello. @throws EngineLost; UserError when it speaks another version */
  static async open(command: EngineCommand, client: string, timeouts = defaultTimeouts) {
    const connection = new EngineConnection(command, timeouts);
    try {
      const hello = await connection.request('hello', { protocol: engineProtocol, client });
      checkVersion(hello, command);
      return { connection, hello };
    } catch (error) {
      connection.kill();
      throw error;
    }
  }

  /** It is not lost yet. */
  get alive(): boolean {
    return !this.lostError;
  }

  /** Id of the process while it is running. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /**
   * Sends a request after all earlier ones are answered. Aborting `signal` cancels it: the engine is notified, and the
   * promise rejects with the signal's reason once the engine has answered.
   * @throws UserError from the engine; EngineLost
   */
  request<M extends EngineMethod>(
    method: M,
    params: EngineParams<M>,
    options: EngineRequestOptions = {},
  ): Promise<EngineResult<M>> {
    const asked = this.turn.then(() => this.ask(method, params, options));
    this.turn = asked.catch(() => {});
    return asked;
  }

  private async ask<M extends EngineMethod>(
    method: M,
    params: EngineParams<M>,
    options: EngineRequestOptions,
  ): Promise<EngineResult<M>> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.lostError) throw this.lostError;
    const id = ++this.count;
    const frame = frameOf({
      jsonrpc: '2.0',
      id,
      method,
      params: z.encode(methods[method].params as z.ZodType, params),
    });
    const answer = new Promise<unknown>((resolve, reject) => {
      this.waiting = { id, method, resolve, reject, progress: options.progress };
    });
    answer.catch(() => {}); // the connection may break while the frame is being sent
    this.silentTicks = 0;
    const watch = setInterval(() => this.watch(method), tickMs(this.timeouts));
    const cancel = () => void this.child.send(frameOf({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id } }));
    signal?.addEventListener('abort', cancel);
    try {
      await this.child.send(frame);
      return this.resultOf(method, await answer);
    } catch (error) {
      if (error instanceof RequestCancelled) signal?.throwIfAborted();
      throw error;
    } finally {
      clearInterval(watch);
      signal?.removeEventListener('abort', cancel);
      this.waiting = undefined;
    }
  }

  /** Asks the engine to end, and kills it if it does not. */
  async close(): Promise<void> {
    if (!this.lostError) await this.request('shutdown', {}).catch(() => {});
    await this.child.end(this.timeouts.end);
  }

  /** Kills it at once. */
  kill(): void {
    this.child.kill();
  }

  private resultOf<M extends EngineMethod>(method: M, result: unknown): EngineResult<M> {
    const parsed = methods[method].result.safeParse(result);
    if (parsed.success) return parsed.data as EngineResult<M>;
    const [{ path, message }] = parsed.error.issues;
    throw this.lose(`its answer to ${method} is invalid (${path.join('.') || 'the whole'}: ${message})`);
  }

  private onOutput(bytes: Buffer | null): void {
    // Other output is a sign of life only during the start; later, messages are required.
    if (bytes || this.waiting?.method === 'hello') this.silentTicks = 0;
    if (!bytes || this.lostError) return;
    try {
      for (const message of this.reader.read(bytes)) this.receive(message);
    } catch (error) {
      this.lose((error as Error).message, error);
    }
  }

  private receive(message: EngineMessage): void {
    const { waiting } = this;
    if (message.method === 'progress') {
      const parsed = progress.safeParse(message.params);
      if (parsed.success && parsed.data.request === waiting?.id) waiting.progress?.(parsed.data);
      return;
    }
    // A late answer is dropped: requests are sequential.
    if (!waiting || message.id !== waiting.id) return;
    if ('result' in message) waiting.resolve(message.result);
    else
      waiting.reject(
        'error' in message ? errorOf(message.error, waiting.method) : this.lose('an answer has no result'),
      );
  }

  /** Gives up on an engine that is silent and does not read its input. */
  private watch(method: EngineMethod): void {
    const { backlog } = this.child;
    this.silentTicks = backlog === this.backlog ? this.silentTicks + 1 : 0;
    this.backlog = backlog;
    const limit = method === 'hello' ? this.timeouts.start : this.timeouts.silence;
    const silent = this.silentTicks * tickMs(this.timeouts);
    if (silent > limit) this.lose(`it was silent for ${silent / 1000} s (${method})`);
  }

  /** The engine is gone; waiting requests are rejected. */
  private lose(why: string, cause?: unknown): EngineLost {
    if (!this.lostError) {
      this.child.note(this.reader.unread);
      const remedy = this.waiting?.method === 'hello' ? this.command.remedy : undefined;
      this.lostError = new EngineLost(why, this.child.lastOutput(), { remedy, cause });
      this.child.kill();
      this.waiting?.reject(this.lostError);
    }
    return this.lostError;
  }
}

const tickMs = ({ silence }: Timeouts): number => Math.min(1000, silence / 4);

function checkVersion({ protocol, engine, version }: Hello, { origin }: EngineCommand): void {
  if (protocol === engineProtocol) return;
  const newer = protocol > engineProtocol;
  throw new UserError(
    `${engine} ${version} (${origin}) speaks version ${protocol} of the ` +
      `engine protocol, but this Distillery speaks version ${engineProtocol}`,
    {
      code: 'version',
      remedy: newer
        ? 'Update Distillery here, or install the engine that came with it.'
        : 'Install the engine that came with this Distillery: `distillery engine ' +
          'repair`, on another machine `pip install` of its folder python/.',
    },
  );
}
