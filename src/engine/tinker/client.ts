/** A client of a Tinker server: requests with retries, promises that are polled, a session that is kept alive. */
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AnswerCutOff } from '../../answer-limits';
import { UserError } from '../../errors';
import { isJsonObject } from '../../student-files/files';
import { type Answer, exchange, textOf } from './exchange';
import { Meter } from './meter';

export interface TinkerAddress {
  /** URL of the server, without `/api/v1`. */
  url: string;
  /** From the secret storage or the environment, never from a file. */
  key: string | undefined;
}

/** An error response of the server. */
export class TinkerError extends UserError {
  constructor(
    readonly status: number,
    path: string,
    message: string,
  ) {
    super(`the Tinker server answered ${path} with ${status}: ${message.slice(0, 500)}`, {
      code: 'backend',
      remedy: remedyFor(status),
    });
  }
}

/** The remedy if something other than a supported server answers. */
export const checkServer =
  'Check the address (without /api/v1); docs/cluster.md lists the servers and versions that are known to work.';
const stuck = "The server's log may say why it is stuck. The records of the run are kept: resume it later.";
/** How servers say that something of a session is no longer there: SkyRL, after a restart or a long silence. */
const forgotten = /\b(model|session|future|sampler)( \S+)? not (found|loaded)\b/i;
const checkKey = 'Check the key: TINKER_API_KEY, or in VS Code *Set Up Tinker Server*.';

function remedyFor(status: number): string {
  if (status === 401 || status === 403) return checkKey;
  const unknown = (status >= 300 && status < 400) || [400, 404, 405, 415, 422].includes(status);
  return unknown ? checkServer : "The server's log may say more.";
}

const tries = 7;
const protobuf = 'application/x-protobuf';

export interface Request {
  body?: object | Uint8Array;
  /** Number of attempts (default: 7). Calls have sequence numbers, so a repeated one is executed once. */
  tries?: number;
  /** Milliseconds that one attempt may take; the default is longer than a server waits for a result. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** Milliseconds in which a server answers what it need not compute. */
const soon = 30_000;
/** Milliseconds in which it answers everything else, unless asked for another limit. */
const later = 330_000;
/** Milliseconds in which a result must be ready; Tinker's own SDK gives up after two hours, too. */
const resultMs = 2 * 3600_000;

export class TinkerClient {
  private session = '';
  private heartbeat?: Worker;
  /** Whether passes are encoded as protobuf (SDK 0.25 and later) or as JSON (before); known from the first answer. */
  wire: 'protobuf' | 'json' | 'unknown' = 'unknown';
  private counts = { models: 0, samplers: 0 };
  /** Whether the last request was abandoned: the next ones, such as to free memory, are not repeated. */
  private silent = false;

  constructor(
    private readonly address: TinkerAddress,
    readonly meter = new Meter(),
  ) {
    checkAddress(address);
  }

  get sessionId(): string {
    return this.session;
  }

  nextModel = () => this.counts.models++;
  nextSampler = () => this.counts.samplers++;

  /**
   * Opens a session. A separate thread keeps it alive, because servers drop a session after some minutes of silence,
   * however busy this thread is.
   */
  async open(): Promise<void> {
    const asked = {
      tags: [],
      user_metadata: { client: 'distillery' },
      sdk_version: '0.25.0',
      type: 'create_session',
    };
    this.session = textIn(
      await this.json('create_session', asked, { timeoutMs: soon }),
      'session_id',
      'create_session',
    );
    this.heartbeat = new Worker(heartbeatSource, {
      eval: true,
      workerData: {
        url: this.place('session_heartbeat'),
        headers: { ...this.headers(), 'Content-Type': 'application/json' },
        body: JSON.stringify({ session_id: this.session, type: 'session_heartbeat' }),
      },
    });
    this.heartbeat.on('error', () => {}); // the next request reports the problem
    this.heartbeat.unref();
  }

  async close(): Promise<void> {
    await this.heartbeat?.terminate();
    this.heartbeat = undefined;
  }

  /** The trainable models, by the server's names. */
  async models(options: Omit<Request, 'body'> = {}): Promise<string[]> {
    const { supported_models: models } = await this.json('get_server_capabilities', undefined, {
      timeoutMs: soon,
      ...options,
    });
    const named = (one: unknown) => (isJsonObject(one) && typeof one.model_name === 'string' ? [one.model_name] : []);
    return Array.isArray(models) ? models.flatMap(named) : [];
  }

  /** An answer's JSON object. @throws UserError if the server reports an error, or answers something else */
  async json(path: string, body?: object, options: Omit<Request, 'body'> = {}): Promise<Record<string, unknown>> {
    return objectIn(await this.send(path, { ...options, body }), path);
  }

  /**
   * Polls for the result of a call: protobuf as bytes, JSON as an object. @throws UserError if the call fails, or is
   * not ready after `limitMs`
   */
  async result(id: string, signal?: AbortSignal, limitMs = resultMs): Promise<unknown> {
    for (const started = performance.now(); performance.now() - started < limitMs; ) {
      const answer = await this.send('retrieve_future', { body: { request_id: id }, signal });
      if (answer.headers.get('content-type')?.includes(protobuf)) return answer.body;
      const value = answer.status === 408 ? { status: 'pending' } : objectIn(answer, 'retrieve_future');
      if (value.type === 'try_again' || value.status === 'pending') {
        await wait(20, undefined, { signal });
        continue;
      }
      if (value.error || value.type === 'RequestFailedResponse')
        throw new TinkerError(200, 'retrieve_future', String(value.error ?? value.error_message ?? 'it failed'));
      return value;
    }
    const message = `the Tinker server at ${this.address.url} has had no result for ${limitMs / 1000} s`;
    throw new UserError(message, { code: 'backend', remedy: stuck });
  }

  /** The archive of saved weights, `tinker://<run>/<kind>/<name>`. */
  async archive(path: string): Promise<Uint8Array> {
    const [run, ...rest] = path.replace(/^tinker:\/\//, '').split('/');
    const name = encodeURIComponent(rest.at(-1) ?? '');
    const route = `training_runs/${encodeURIComponent(run)}/checkpoints/${name}/archive`;
    const answer = await this.send(route);
    const moved = answer.headers.get('location');
    if (answer.status >= 300 && answer.status < 400 && moved) return fetchMoved(moved, this.address.url);
    if (answer.status !== 200) throw new TinkerError(answer.status, route, textOf(answer));
    return answer.body;
  }

  /**
   * One request, repeated when the server is busy or the connection breaks. Redirects are not followed, because the key
   * must only go to the configured address.
   */
  async send(path: string, request: Request = {}): Promise<Answer> {
    const { body, signal, tries: most = this.silent ? 1 : tries, timeoutMs = later } = request;
    const raw = body instanceof Uint8Array;
    for (let attempt = 1; ; attempt++) {
      const sent: RequestInit = {
        method: body ? 'POST' : 'GET',
        redirect: 'manual',
        headers: { ...this.headers(), 'Content-Type': raw ? protobuf : 'application/json' },
        body: raw ? (body as Uint8Array<ArrayBuffer>) : body && JSON.stringify(body),
        signal,
      };
      const answer = await exchange(this.place(path), sent, timeoutMs).catch((error) => {
        signal?.throwIfAborted();
        const endless = error instanceof AnswerCutOff && error.arrived;
        this.silent = attempt >= (endless ? Math.min(most, 2) : most);
        if (this.silent) throw unreachable(this.address.url, error);
      });
      if (answer && ((answer.status !== 429 && answer.status < 500) || attempt >= most)) {
        this.silent = false;
        if (this.session) checkRemembered(this.address.url, answer);
        return answer;
      }
      await wait(Math.min(2 ** attempt, 30) * 250, undefined, { signal });
    }
  }

  private place = (path: string) => new URL(`api/v1/${path}`, `${this.address.url.replace(/\/+$/, '')}/`).href;

  private headers(): Record<string, string> {
    const accept = this.wire === 'json' ? 'application/json' : `${protobuf}, application/json`;
    return { 'X-API-Key': this.address.key ?? 'tml-local', Accept: accept };
  }
}

function checkAddress({ url, key }: TinkerAddress): void {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const remedy = 'Use an address such as http://127.0.0.1:8000 or https://host.';
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw new UserError(`the address of the Tinker server is ${JSON.stringify(url)}`, { code: 'config', remedy });
  if (parsed.username || parsed.password)
    throw new UserError('the address of the Tinker server contains a name or a password', { code: 'config', remedy });
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key))
    throw new UserError('the key of the Tinker server contains characters that no key has', {
      code: 'config',
      remedy: checkKey,
    });
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname);
  if (key !== undefined && parsed.protocol === 'http:' && !local)
    throw new UserError(`the key would go to ${parsed.host} unencrypted`, {
      code: 'config',
      remedy: 'Use https, or a tunnel to the server (ssh -L).',
    });
}

function unreachable(url: string, error: unknown): UserError {
  if (error instanceof AnswerCutOff)
    return new UserError(`the request to the Tinker server at ${url} was abandoned: ${error.message}`, {
      code: 'backend',
      remedy: error.arrived ? checkServer : stuck,
      cause: error,
    });
  const { message, cause } = error as Error & { cause?: Partial<NodeJS.ErrnoException> };
  return new UserError(`the Tinker server at ${url} does not answer: ${cause?.message || cause?.code || message}`, {
    code: 'backend',
    remedy: 'Start it, or check the address and the tunnel. The records of the run are kept: resume it later.',
    cause: error,
  });
}

/** @throws UserError if the server no longer has the session, or a model or a result of it */
function checkRemembered(url: string, answer: Answer): void {
  const { status } = answer;
  const text = status === 400 || status === 404 ? textOf(answer) : '';
  if (forgotten.test(text))
    throw new UserError(
      `the Tinker server at ${url} has lost this session, such as by a restart (${text.slice(0, 200)})`,
      {
        code: 'backend',
        remedy:
          'The records of the run are kept. ' +
          'Resume it: training continues from the newest checkpoint, and the updates ' +
          'after it are computed again.',
      },
    );
}

/** Resolves the actual location of an archive, which is downloaded without the key. */
async function fetchMoved(location: string, server: string): Promise<Uint8Array> {
  const url = new URL(location, server);
  if (!/^https?:$/.test(url.protocol))
    throw new UserError(
      `the Tinker server offers its weights at ${url.protocol}//, which only its own machine can read`,
      {
        code: 'checkpoint',
        remedy: 'Run on the same machine as the server, or use another server (docs/cluster.md).',
      },
    );
  const answer = await exchange(url.href, { redirect: 'error' }, later).catch((error) => {
    throw unreachable(url.origin, error);
  });
  if (answer.status !== 200) throw new TinkerError(answer.status, url.pathname, textOf(answer));
  return answer.body;
}

/** A text field of an answer to `path`. @throws UserError if it is missing */
export function textIn(value: unknown, name: string, path: string): string {
  const found = isJsonObject(value) ? value[name] : undefined;
  if (typeof found === 'string') return found;
  throw new UserError(`the Tinker server answered ${path} without ${name}`, { code: 'backend', remedy: checkServer });
}

/** What `read` makes of an answer to `path`. @throws UserError if it has another form */
export function readingOf<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = `the Tinker server answered ${path} in an unknown form`;
    throw new UserError(message, { code: 'backend', remedy: checkServer, cause });
  }
}

/** The JSON object of an answer. @throws UserError if it reports an error, or is something else */
export function objectIn(answer: Answer, path: string): Record<string, unknown> {
  const text = textOf(answer);
  if (answer.status < 200 || answer.status > 299) throw new TinkerError(answer.status, path, text);
  return readingOf(path, () => {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) throw new TypeError('no JSON object');
    return value;
  });
}

/** Runs in a separate thread, so that this thread's work does not delay it. Answers are not read, as some never end. */
const heartbeatSource = `
const { workerData: { url, headers, body } } = require('node:worker_threads');
const asked = () => ({ method: 'POST', redirect: 'error', headers, body, signal: AbortSignal.timeout(30_000) });
setInterval(() => fetch(url, asked()).then((one) => one.body?.cancel()).catch(() => {}), 10_000);
`;
