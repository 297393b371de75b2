/** A client of a Tinker server: requests with retries, promises that are polled, a session that is kept alive. */
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../errors';
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

function remedyFor(status: number): string {
  if (status === 401 || status === 403) return 'Check the key: TINKER_API_KEY, or in VS Code *Set Up Tinker Server*.';
  if (status === 404)
    return 'Check the address; docs/cluster.md lists the servers and versions that are known to work.';
  return "The server's log may say more.";
}

/** Maximum size of an answer. */
const maxAnswerBytes = 512 << 20;
const tries = 7;
const protobuf = 'application/x-protobuf';

export interface Request {
  body: object | Uint8Array;
  /** Number of attempts (default: 7). Calls have sequence numbers, so a repeated one is executed once. */
  tries?: number;
  signal?: AbortSignal;
}

export class TinkerClient {
  private session = '';
  private heartbeat?: Worker;
  /** Whether passes are encoded as protobuf (SDK 0.25 and later) or as JSON (before); known from the first answer. */
  wire: 'protobuf' | 'json' | 'unknown' = 'unknown';
  private counts = { models: 0, samplers: 0 };

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
    const made = await this.json<{ session_id: string }>('create_session', {
      tags: [],
      user_metadata: { client: 'distillery' },
      sdk_version: '0.25.0',
      type: 'create_session',
    });
    this.session = made.session_id;
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
  async models(): Promise<string[]> {
    const { supported_models: models } = await this.json<{ supported_models?: { model_name: string }[] }>(
      'get_server_capabilities',
    );
    return (models ?? []).map(({ model_name: name }) => name);
  }

  async json<T>(path: string, body?: object, options: Omit<Request, 'body'> = {}): Promise<T> {
    const response = await this.send(path, body && { body, ...options });
    if (!response.ok) throw new TinkerError(response.status, path, await bodyText(response));
    return JSON.parse(await bodyText(response)) as T;
  }

  /** Polls for the result of a call: protobuf as bytes, JSON as an object. */
  async result(id: string, signal?: AbortSignal): Promise<unknown> {
    for (;;) {
      const response = await this.send('retrieve_future', { body: { request_id: id }, signal });
      if (response.status === 408) continue; // not ready yet
      if (response.headers.get('content-type')?.includes(protobuf)) return bytesOf(response);
      const text = await bodyText(response);
      if (!response.ok) throw new TinkerError(response.status, 'retrieve_future', text);
      const value = JSON.parse(text) as { type?: string; status?: string; error?: string; error_message?: string };
      if (value.type === 'try_again' || value.status === 'pending') {
        await wait(20, undefined, { signal });
        continue;
      }
      if (value.error || value.type === 'RequestFailedResponse')
        throw new TinkerError(200, 'retrieve_future', value.error ?? value.error_message ?? 'it failed');
      return value;
    }
  }

  /** The archive of saved weights, `tinker://<run>/<kind>/<name>`. */
  async archive(path: string): Promise<Uint8Array> {
    const [run, ...rest] = path.replace(/^tinker:\/\//, '').split('/');
    const name = encodeURIComponent(rest.at(-1) ?? '');
    const route = `training_runs/${encodeURIComponent(run)}/checkpoints/${name}/archive`;
    const response = await this.send(route);
    const moved = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && moved) return fetchMoved(moved, this.address.url);
    if (!response.ok) throw new TinkerError(response.status, route, await bodyText(response));
    return bytesOf(response);
  }

  /**
   * One request, repeated when the server is busy or the connection breaks. Redirects are not followed, because the key
   * must only go to the configured address.
   */
  async send(path: string, request?: Request): Promise<Response> {
    const { body, signal } = request ?? {};
    const raw = body instanceof Uint8Array;
    const most = request?.tries ?? tries;
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await fetch(this.place(path), {
          method: body ? 'POST' : 'GET',
          redirect: 'manual',
          headers: { ...this.headers(), 'Content-Type': raw ? protobuf : 'application/json' },
          body: raw ? (body as Uint8Array<ArrayBuffer>) : body && JSON.stringify(body),
          signal: AbortSignal.any([AbortSignal.timeout(330_000), ...(signal ? [signal] : [])]),
        });
        if ((response.status !== 429 && response.status < 500) || attempt >= most) return response;
        await response.arrayBuffer();
      } catch (error) {
        signal?.throwIfAborted();
        if (attempt >= most) throw unreachable(this.address.url, error);
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
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname);
  if (key !== undefined && parsed.protocol === 'http:' && !local)
    throw new UserError(`the key would go to ${parsed.host} unencrypted`, {
      code: 'config',
      remedy: 'Use https, or a tunnel to the server (ssh -L).',
    });
}

const unreachable = (url: string, cause: unknown) =>
  new UserError(`the Tinker server at ${url} does not answer: ${(cause as Error).message}`, {
    code: 'backend',
    remedy: 'Start it, or check the address and the tunnel. The records of the run are kept.',
    cause,
  });

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
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(330_000) });
  if (!response.ok) throw new TinkerError(response.status, url.pathname, await bodyText(response));
  return bytesOf(response);
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    parts.push(part as Uint8Array);
    size += (part as Uint8Array).length;
    if (size > maxAnswerBytes)
      throw new UserError(`the Tinker server sent more than ${maxAnswerBytes >> 20} MB in one answer`, {
        code: 'backend',
      });
  }
  return Buffer.concat(parts);
}

/** The text of a response, up to this length. */
export const bodyText = async (response: Response) => Buffer.from(await bytesOf(response)).toString('utf8');

/** Runs in a separate thread, so that this thread's work does not delay it. */
const heartbeatSource = `
const { workerData: { url, headers, body } } = require('node:worker_threads');
setInterval(() => fetch(url, { method: 'POST', redirect: 'error', headers, body }).then((one) => one.arrayBuffer(), () => {}), 10_000);
`;
