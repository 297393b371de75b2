import { timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  type CancellationToken,
  createMessageConnection,
  ErrorCodes,
  NullLogger,
  ProgressType,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import type * as z from 'zod';
import { UserError } from '../errors';
import { encode } from '../json';
import { type Address, errorCodes, type Method, type Params, protocolVersion, requests } from '../protocol/control';
import { Refusal } from './control';
import { faultOf, log } from './faults';
import type { Service } from './service';

/** What may come before `hello`: so many bytes, in so many milliseconds. */
const probation = { bytes: 64 << 10, ms: 10_000 };

/** Progress is left out for a client that is so many bytes behind: the result has it all. */
const behind = 4 << 20;

/** Serves one client until it goes. What it says before a good `hello`, and what does not parse, ends the connection. */
export function serveClient(socket: Socket, service: Service, address: Address): void {
  const gone = new AbortController();
  const connection = createMessageConnection(
    new StreamMessageReader(socket),
    new StreamMessageWriter(socket),
    NullLogger,
  );
  let standing: 'stranger' | 'misfit' | 'client' = 'stranger';
  let received = 0;
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
    const allowed = standing === 'client' || method === 'hello' || (standing === 'misfit' && method === 'shutdown');
    if (!allowed) {
      refuse(`${method} before hello`);
      throw new ResponseError(errorCodes.refused, 'say hello first', { code: 'refused', message: 'say hello first' });
    }
    if (!Object.hasOwn(requests, method)) throw new ResponseError(ErrorCodes.MethodNotFound, `no method ${method}`);
    const params = parse(requests[method as Method].params, given ?? {});
    if (method === 'hello') return hello(params as Params<'hello'>);
    const cancelled = new AbortController();
    const cancel = () => cancelled.abort();
    token.onCancellationRequested(cancel);
    if (token.isCancellationRequested) cancel(); // before the request was read: its token tells nobody
    gone.signal.addEventListener('abort', cancel);
    const progressToken = (given as { partialResultToken?: string | number } | null)?.partialResultToken;
    const progress = (part: unknown) => {
      if (progressToken === undefined || gone.signal.aborted || socket.writableLength > behind) return;
      void connection.sendProgress(new ProgressType(), progressToken, wire(part)).catch(() => {});
    };
    try {
      const { signal } = cancelled;
      return wire(await service.handle(method as Exclude<Method, 'hello'>, params, { signal, progress }));
    } catch (error) {
      throw responseError(error);
    } finally {
      gone.signal.removeEventListener('abort', cancel);
    }
  });
  connection.listen();
}

function parse(schema: z.ZodType, given: unknown): unknown {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new ResponseError(ErrorCodes.InvalidParams, `${path.join('.') || 'parameters'}: ${message}`);
}

function responseError(error: unknown): ResponseError<unknown> {
  if (error instanceof ResponseError) return error;
  const fault = error instanceof Refusal ? error.fault : faultOf(error);
  if (!(error instanceof Refusal || error instanceof UserError)) log('error', (error as Error)?.stack ?? String(error));
  const code =
    fault.code === 'defect'
      ? errorCodes.defect
      : fault.code === 'cancelled'
        ? -32800 // LSP's RequestCancelled, which vscode-jsonrpc does not name
        : errorCodes.user;
  return new ResponseError(code, fault.message, fault);
}

/** As it can be said in JSON, which has no NaN. */
const wire = (value: unknown): unknown => JSON.parse(encode(value));

function sameText(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && timingSafeEqual(first, second);
}
