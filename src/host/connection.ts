import { timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  type CancellationToken,
  createMessageConnection,
  ErrorCodes,
  type Message,
  NullLogger,
  ProgressType,
  ResponseError,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import type * as z from 'zod';
import { UserError } from '../errors';
import { encode } from '../json';
import { type Address, errorCodes, type Method, type Params, protocolVersion, requests } from '../protocol/control';
import { Refusal } from './control';
import { cancelledFault, faultOf, log } from './faults';
import { BoundedReader } from './framing';
import type { Service } from './service';

/** What may come before `hello`: so many bytes, in so many milliseconds. */
const probation = { bytes: 64 << 10, ms: 10_000 };

/** What may come after it: bytes of a message (an evaluation's problems), requests that wait for their answers. */
const most = { bytes: 32 << 20, requests: 64 };

/**
 * Progress is left out for a client that has so many messages yet to read: the result has it all. One with many more is
 * let go of.
 */
const behind = 16;
const lost = 1000;

/** Counts what the client has not taken yet: vscode-jsonrpc holds it all. */
class Writer extends StreamMessageWriter {
  unread = 0;

  override async write(message: Message): Promise<void> {
    this.unread++;
    await super.write(message).finally(() => {
      this.unread--;
    });
  }
}

/**
 * Serves one client until it goes. Its connection ends, and nothing else does, by what it says before a good `hello`,
 * by a message that is too long, too deep or none (`BoundedReader`), and by more answers than it reads.
 */
export function serveClient(socket: Socket, service: Service, address: Address): void {
  const gone = new AbortController();
  let standing: 'stranger' | 'misfit' | 'client' = 'stranger';
  let received = 0;
  let waiting = 0;
  const reader = new BoundedReader(socket, () => (standing === 'client' ? most.bytes : probation.bytes));
  const writer = new Writer(socket);
  const connection = createMessageConnection(reader, writer, NullLogger);
  const drop = (why: string) => {
    if (!gone.signal.aborted) log('warning', `a connection is closed: ${why}`);
    socket.destroy();
  };
  /** Drops it once the refusal is out. */
  const refuse = (why: string) => setTimeout(() => drop(why), 100);
  const timer = setTimeout(() => standing === 'stranger' && drop('it did not say hello'), probation.ms);
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (standing !== 'client' && received > probation.bytes) drop('too many bytes before hello');
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(timer);
    gone.abort();
    if (standing === 'client') service.left();
    connection.dispose();
  });
  connection.onError(([error]) => drop(error.message.split('\n')[0]));

  const hello = ({ token, protocol, client }: Params<'hello'>) => {
    if (!sameText(token, address.token)) {
      refuse('wrong token');
      throw new ResponseError(errorCodes.refused, 'wrong token', { code: 'refused', message: 'wrong token' });
    }
    if (protocol !== protocolVersion) {
      standing = 'misfit';
      const message = `the host speaks version ${protocolVersion} of the protocol (Distillery ${address.version}), not ${protocol}`;
      const facts = { protocol: protocolVersion, version: address.version, idle: !service.atWork };
      throw new ResponseError(errorCodes.version, message, { code: 'version', message, ...facts });
    }
    if (standing !== 'client') service.joined(client);
    standing = 'client';
    const { version, pid, session } = address;
    return { protocol: protocolVersion, version, pid, session };
  };

  connection.onRequest(async (method: string, given: unknown, token: CancellationToken) => {
    if (writer.unread > lost) drop('it does not read its answers');
    const allowed = standing === 'client' || method === 'hello' || (standing === 'misfit' && method === 'shutdown');
    if (!allowed) {
      refuse(`${method} before hello`);
      throw new ResponseError(errorCodes.refused, 'say hello first', { code: 'refused', message: 'say hello first' });
    }
    if (!Object.hasOwn(requests, method))
      throw new ResponseError(ErrorCodes.MethodNotFound, `no method ${method.slice(0, 80)}`);
    const params = parse(requests[method as Method].params, given ?? {});
    if (method === 'hello') return hello(params as Params<'hello'>);
    if (waiting + writer.unread >= most.requests) throw tooMany;
    waiting++;
    const cancelled = new AbortController();
    const cancel = () => cancelled.abort();
    token.onCancellationRequested(cancel);
    if (token.isCancellationRequested) cancel(); // before the request was read: its token tells nobody
    gone.signal.addEventListener('abort', cancel);
    const progressToken = (given as { partialResultToken?: string | number } | null)?.partialResultToken;
    const progress = (part: unknown) => {
      if (progressToken === undefined || gone.signal.aborted || writer.unread > behind) return;
      void connection.sendProgress(new ProgressType(), progressToken, wire(part)).catch(() => {});
    };
    try {
      const { signal } = cancelled;
      if (signal.aborted) throw new Refusal(cancelledFault);
      return wire(await service.handle(method as Exclude<Method, 'hello'>, params, { signal, progress }));
    } catch (error) {
      throw responseError(error);
    } finally {
      waiting--;
      gone.signal.removeEventListener('abort', cancel);
    }
  });
  connection.listen();
}

const busy = { code: 'busy', message: `more than ${most.requests} requests wait for an answer` };
const tooMany = new ResponseError(errorCodes.user, busy.message, busy);

function parse(schema: z.ZodType, given: unknown): unknown {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new ResponseError(ErrorCodes.InvalidParams, `${path.join('.') || 'parameters'}: ${message}`);
}

/** LSP's, which vscode-jsonrpc does not name. */
const requestCancelled = -32800;

function responseError(error: unknown): ResponseError<unknown> {
  if (error instanceof ResponseError) return error;
  const fault = error instanceof Refusal ? error.fault : faultOf(error);
  if (!(error instanceof Refusal || error instanceof UserError)) log('error', (error as Error)?.stack ?? String(error));
  const expected = fault.code === 'cancelled' ? requestCancelled : errorCodes.user;
  return new ResponseError(fault.code === 'defect' ? errorCodes.defect : expected, fault.message, fault);
}

/** As it can be said in JSON, which has no NaN. */
const wire = (value: unknown): unknown => JSON.parse(encode(value));

function sameText(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && timingSafeEqual(first, second);
}
