import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { hostname } from 'node:os';
import {
  CancellationTokenSource,
  createMessageConnection,
  type Message,
  type MessageConnection,
  NullLogger,
  ProgressType,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import { type ErrorCode, UserError } from '../errors';
import { encode } from '../json';
import {
  type Address,
  errorCodes,
  faultSchema,
  type HostFault,
  type HostMethod,
  type HostParams,
  type HostResult,
  protocolVersion,
  requests,
  versionGapSchema,
} from '../protocol/control';
import { checkEndpoint } from '../protocol/host-folder';
import type { TokenPrices } from '../spent';
import type { RequestOptions } from './api';
import { hostEndedError, VersionGap, within } from './failures';

/**
 * The address to connect to. A host on another machine is reached through a tunnel that the user has opened and named.
 * host.json, which may have come with its folder, must not choose the port.
 */
function connectOptions({ endpoint, machine, port }: Address): NetConnectOpts {
  const tunnel = Number(process.env.DISTILLERY_HOST_TUNNEL);
  if (port !== undefined && machine !== hostname() && tunnel > 0) return { host: '127.0.0.1', port: tunnel };
  checkEndpoint(endpoint);
  return { path: endpoint };
}

export interface Identity {
  name: string;
  version: string;
  /** The user's own engine command; read at every connection. */
  readonly engine?: string;
  /** The user's own Tinker server, likewise. */
  readonly tinker?: { url: string; key?: string; model: string; prices?: TokenPrices };
}

/**
 * vscode-jsonrpc throws write errors where no code can catch them. Here such a message closes the connection and
 * rejects every waiting request.
 */
class RejectingWriter extends StreamMessageWriter {
  constructor(private readonly socket: Socket) {
    super(socket);
  }

  override async write(message: Message): Promise<void> {
    await super.write(message).catch(() => this.socket.destroy());
  }
}

/** An open connection to a host after a successful hello. */
export class HostLink {
  private parts = 0;
  /** Resolves when the connection is over, for any reason. */
  readonly closed: Promise<void>;

  private constructor(
    readonly address: Address,
    private readonly socket: Socket,
    private readonly connection: MessageConnection,
  ) {
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    // Rejects waiting requests, as the end of the connection itself does not.
    void this.closed.then(() => connection.dispose());
  }

  /** Connects and says hello. Rejects with a VersionGap, or with the reason why there is no answer. */
  static async open(address: Address, client: Identity, deadlineMs: number): Promise<HostLink> {
    const link = await HostLink.dial(address, deadlineMs);
    try {
      const { session } = await link.hello(client, deadlineMs);
      if (session !== address.session) throw new Error('another host answers at this address');
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /** Asks an idle host of any version to end. Returns whether it will. */
  static async replace(address: Address, client: Identity, deadlineMs: number): Promise<boolean> {
    const link = await HostLink.dial(address, deadlineMs);
    try {
      await link.hello(client, deadlineMs).catch((error) => {
        if (!(error instanceof VersionGap)) throw error;
      });
      const { ending } = await within(deadlineMs, link.request('shutdown', {}), 'shutdown');
      if (ending) await within(deadlineMs, link.closed, 'shutdown');
      return ending;
    } finally {
      link.close();
    }
  }

  private hello(client: Identity, deadlineMs: number) {
    const { token } = this.address;
    const hello = { protocol: protocolVersion, token, client: { ...client, pid: process.pid } };
    return within(deadlineMs, this.request('hello', hello), 'hello');
  }

  private static dial(address: Address, deadlineMs: number): Promise<HostLink> {
    const socket = connect(connectOptions(address));
    const dialled = new Promise<HostLink>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        const connection = createMessageConnection(
          new StreamMessageReader(socket),
          new RejectingWriter(socket),
          NullLogger,
        );
        socket.on('error', () => socket.destroy());
        connection.onError(() => socket.destroy());
        const link = new HostLink(address, socket, connection);
        connection.listen();
        resolve(link);
      });
    });
    return within(deadlineMs, dialled, 'a connection').catch((error) => {
      socket.destroy();
      throw error;
    });
  }

  async request<M extends HostMethod>(
    method: M,
    params: HostParams<M>,
    options: RequestOptions<never> = {},
  ): Promise<HostResult<M>> {
    const { signal, progress } = options;
    signal?.throwIfAborted();
    const cancel = new CancellationTokenSource();
    const abort = () => cancel.cancel();
    signal?.addEventListener('abort', abort);
    const token = progress && `part-${++this.parts}`;
    const schema = requests[method];
    const listening =
      progress && 'progress' in schema
        ? this.connection.onProgress(new ProgressType<unknown>(), token!, (part) => {
            const parsed = schema.progress.safeParse(part);
            if (parsed.success) (progress as (part: unknown) => void)(parsed.data);
          })
        : undefined;
    try {
      const given = { ...(JSON.parse(encode(params)) as object), ...(token && { partialResultToken: token }) };
      const result = schema.result.safeParse(await this.connection.sendRequest(method, given, cancel.token));
      if (!result.success) throw new Error(`the host's answer to ${method} is invalid: ${result.error.message}`);
      return result.data as HostResult<M>;
    } catch (error) {
      signal?.throwIfAborted();
      throw this.errorOf(error, method);
    } finally {
      listening?.dispose();
      signal?.removeEventListener('abort', abort);
      cancel.dispose();
    }
  }

  close(): void {
    this.socket.destroy();
  }

  private errorOf(error: unknown, method: string): unknown {
    if (error instanceof ResponseError) {
      const gap = error.code === errorCodes.version ? versionGapSchema.safeParse(error.data) : undefined;
      if (gap?.success) return new VersionGap(gap.data, this.address.pid);
      const fault = faultSchema.safeParse(error.data);
      if (fault.success) return errorOfFault(fault.data);
    }
    if (this.socket.destroyed || this.socket.closed) return hostEndedError(method);
    return error;
  }
}

/** Restores an error from its transmitted form. */
export function errorOfFault({ code, message, ...place }: HostFault): Error {
  if (code === 'defect') return new Error(`${message} (a defect; host.log has more)`);
  if (code === 'cancelled') return Object.assign(new Error(message), { name: 'AbortError' });
  return new UserError(message, { code: code as ErrorCode, ...place }); // the host received it in a request
}
