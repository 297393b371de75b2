import { timingSafeEqual } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import {
  type CancellationToken,
  createMessageConnection,
  ErrorCodes,
  type Message,
  type MessageConnection,
  NullLogger,
  ProgressType,
  ResponseError,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import type * as z from 'zod';
import { UserError } from '../errors';
import { encode } from '../json';
import {
  type Address,
  errorCodes,
  type HostMethod,
  type HostParams,
  protocolVersion,
  requests,
} from '../protocol/control';
import { EngineRefusal } from './control';
import { cancelledFault, faultOf, log } from './faults';
import { BoundedReader, HeldBytes } from './framing';
import type { Service } from './service';

/** Limits before `hello`: bytes and milliseconds. */
const probation = { bytes: 64 << 10, ms: 10_000 };

/** Limits after it: bytes of a message (an evaluation's problems), and waiting requests. */
const connectionLimits = { bytes: 32 << 20, requests: 64 };

/**
 * Progress messages are dropped for a client with this many unread messages, as the result contains everything. A
 * client with many more is disconnected.
 */
const maxUnread = 16;
const disconnectAt = 1000;

/** Of all clients together: messages that arrive, and requests that wait. */
const arriving = new HeldBytes();
const waiting = new HeldBytes();

/** Counts messages that the client has not read yet; vscode-jsonrpc buffers all of them. */
class CountingWriter extends StreamMessageWriter {
  unread = 0;

  override async write(message: Message): Promise<void> {
    this.unread++;
    await super.write(message).finally(() => {
      this.unread--;
    });
  }
}

/**
 * Serves one client until it disconnects. Invalid input before a `hello`, messages that are too long, too deep or
 * invalid (`BoundedReader`), and unread answers end this connection and nothing else.
 */
export function serveClient(socket: Socket, service: Service, address: Address): void {
  new ConnectedClient(socket, service, address).listen();
}

class ConnectedClient {
  private readonly closed = new AbortController();
  /** Whether it has said hello; `other version` after a hello that this host does not understand. */
  private kind: 'unknown' | 'other version' | 'client' = 'unknown';
  private received = 0;
  private waiting = 0;
  private readonly reader: BoundedReader;
  private readonly writer: CountingWriter;
  private readonly connection: MessageConnection;

  constructor(
    private readonly socket: Socket,
    private readonly service: Service,
    private readonly address: Address,
  ) {
    const limit = () => (this.kind === 'client' ? connectionLimits.bytes : probation.bytes);
    this.reader = new BoundedReader(socket, limit, arriving);
    this.writer = new CountingWriter(socket);
    this.connection = createMessageConnection(this.reader, this.writer, NullLogger);
    setMaxListeners(connectionLimits.requests, this.closed.signal); // one for each waiting request
  }

  listen(): void {
    const timer = setTimeout(() => this.kind === 'unknown' && this.drop('it did not say hello'), probation.ms);
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.length;
      if (this.kind !== 'client' && this.received > probation.bytes) this.drop('too many bytes before hello');
    });
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => {
      clearTimeout(timer);
      this.closed.abort();
      if (this.kind === 'client') this.service.left();
      this.connection.dispose();
    });
    this.connection.onError(([error]) => this.drop(error.message.split('\n')[0]));
    this.connection.onRequest((method: string, given: unknown, token: CancellationToken) =>
      this.answer(method, given, token),
    );
    this.connection.listen();
  }

  private drop(why: string): void {
    if (!this.closed.signal.aborted) log('warning', `a connection is closed: ${why}`);
    this.socket.destroy();
  }

  /** Closes the connection once the refusal is sent. */
  private refuse(why: string): void {
    setTimeout(() => this.drop(why), 100);
  }

  private async answer(method: string, given: unknown, token: CancellationToken): Promise<unknown> {
    if (this.writer.unread > disconnectAt) this.drop('it does not read its answers');
    const mayShutDown = this.kind === 'other version' && method === 'shutdown';
    if (this.kind !== 'client' && method !== 'hello' && !mayShutDown) {
      this.refuse(`${method} before hello`);
      throw new ResponseError(errorCodes.refused, 'say hello first', { code: 'refused', message: 'say hello first' });
    }
    if (!Object.hasOwn(requests, method))
      throw new ResponseError(ErrorCodes.MethodNotFound, `no method ${method.slice(0, 80)}`);
    const params = parse(requests[method as HostMethod].params, given ?? {});
    if (method === 'hello') return this.hello(params as HostParams<'hello'>);
    if (this.waiting + this.writer.unread >= connectionLimits.requests) throw tooMany;
    const bytes = this.reader.sizeOf(given);
    if (!waiting.take(bytes)) throw tooLong;
    this.waiting++;
    const cancelled = new AbortController();
    const cancel = () => cancelled.abort();
    token.onCancellationRequested(cancel);
    if (token.isCancellationRequested) cancel(); // the request was not read yet, so its token is unknown
    this.closed.signal.addEventListener('abort', cancel);
    try {
      const { signal } = cancelled;
      if (signal.aborted) throw new EngineRefusal(cancelledFault);
      const asked = { signal, progress: this.progressOf(given) };
      return wire(await this.service.handle(method as Exclude<HostMethod, 'hello'>, params, asked));
    } catch (error) {
      throw responseError(error);
    } finally {
      this.waiting--;
      waiting.give(bytes);
      this.closed.signal.removeEventListener('abort', cancel);
    }
  }

  private hello({ token, protocol, client }: HostParams<'hello'>) {
    const { version, pid, session } = this.address;
    if (!sameText(token, this.address.token)) {
      this.refuse('wrong token');
      throw new ResponseError(errorCodes.refused, 'wrong token', { code: 'refused', message: 'wrong token' });
    }
    if (protocol !== protocolVersion) {
      this.kind = 'other version';
      const speaks = `the host speaks version ${protocolVersion} of the protocol (Distillery ${version})`;
      const facts = { protocol: protocolVersion, version, idle: !this.service.atWork };
      const message = `${speaks}, not ${protocol}`;
      throw new ResponseError(errorCodes.version, message, { code: 'version', message, ...facts });
    }
    if (this.kind !== 'client') this.service.joined(client);
    this.kind = 'client';
    return { protocol: protocolVersion, version, pid, session };
  }

  /** Reports the progress of a request, if the client asked for it. */
  private progressOf(given: unknown): (part: unknown) => void {
    const token = (given as { partialResultToken?: string | number } | null)?.partialResultToken;
    return (part) => {
      if (token === undefined || this.closed.signal.aborted || this.writer.unread > maxUnread) return;
      void this.connection.sendProgress(new ProgressType(), token, wire(part)).catch(() => {});
    };
  }
}

const busy = { code: 'busy', message: `more than ${connectionLimits.requests} requests wait for an answer` };
const tooMany = new ResponseError(errorCodes.user, busy.message, busy);
const full = { code: 'busy', message: 'the requests that wait are too long together: try again later' };
const tooLong = new ResponseError(errorCodes.user, full.message, full);

function parse(schema: z.ZodType, given: unknown): unknown {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new ResponseError(ErrorCodes.InvalidParams, `${path.join('.') || 'parameters'}: ${message}`);
}

/** LSP's code, which vscode-jsonrpc does not define. */
const requestCancelled = -32800;

function responseError(error: unknown): ResponseError<unknown> {
  if (error instanceof ResponseError) return error;
  const fault = error instanceof EngineRefusal ? error.fault : faultOf(error);
  if (!(error instanceof EngineRefusal || error instanceof UserError))
    log('error', (error as Error)?.stack ?? String(error));
  const expected = fault.code === 'cancelled' ? requestCancelled : errorCodes.user;
  return new ResponseError(fault.code === 'defect' ? errorCodes.defect : expected, fault.message, fault);
}

/** As JSON, which has no NaN. */
const wire = (value: unknown): unknown => JSON.parse(encode(value));

function sameText(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && timingSafeEqual(first, second);
}
