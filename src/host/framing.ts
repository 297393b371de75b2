/** Reads a client's messages: JSON-RPC 2.0 with `Content-Length` headers, within limits. */
import type { Socket } from 'node:net';
import { AbstractMessageReader, type DataCallback, type Disposable, type Message } from 'vscode-jsonrpc/node';
import * as z from 'zod';
import { ByteQueue } from '../byte-queue';
import { parseJson } from '../lines';

/** A limit on the bytes that the host holds of all clients' long messages. Short ones are limited by their number. */
export class HeldBytes {
  private held = 0;

  constructor(
    private readonly most = 128 << 20,
    private readonly free = 64 << 10,
  ) {}

  /** Counts these bytes; false, without counting them, if they are too many. */
  take(bytes: number): boolean {
    if (bytes <= this.free) return true;
    if (this.held + bytes > this.most) return false;
    this.held += bytes;
    return true;
  }

  /** No longer counts bytes that were taken. */
  give(bytes: number): void {
    if (bytes > this.free) this.held -= bytes;
  }
}

/** Maximum bytes of a message's headers. */
const maxHeaders = 4096;
const headersEnd = '\r\n\r\n';

const id = z.union([z.string(), z.number()]);
/** Messages of clients: requests and notifications. A host sends no requests, so there are no responses. */
const messageSchema = z.looseObject({
  jsonrpc: z.literal('2.0'),
  method: z.string(),
  id: id.optional(),
  params: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]).optional(),
});

/**
 * Replaces vscode-jsonrpc's reader, which buffers as many bytes as a client announces and accepts any JSON: a message
 * of 30,000 nested arrays once crashed the host. Here the first invalid or oversized message is an error, and nothing
 * after it is read.
 */
export class BoundedReader extends AbstractMessageReader {
  private readonly held = new ByteQueue();
  /** Of the current message; undefined until its headers are complete. */
  private length?: number;
  private failed = false;
  private readonly sizes = new WeakMap<object, number>();

  /** `limit` returns the current maximum size of a message. */
  constructor(
    private readonly socket: Socket,
    private readonly limit: () => number,
    private readonly bytes: HeldBytes,
  ) {
    super();
  }

  /** The size of the message with these parameters, in bytes. */
  sizeOf(params: unknown): number {
    return (typeof params === 'object' && params !== null && this.sizes.get(params)) || 0;
  }

  listen(callback: DataCallback): Disposable {
    const onData = (chunk: Buffer) => {
      if (this.failed) return;
      try {
        this.take(chunk, callback);
      } catch (error) {
        this.failed = true;
        this.forget();
        this.fireError(error as Error);
      }
    };
    this.socket.on('data', onData);
    this.socket.on('close', () => {
      this.failed = true;
      this.forget();
      this.fireClose();
    });
    return { dispose: () => this.socket.off('data', onData) };
  }

  private forget(): void {
    this.held.clear();
    this.bytes.give(this.length ?? 0);
    this.length = undefined;
  }

  private take(chunk: Buffer, callback: DataCallback): void {
    this.held.push(chunk);
    for (;;) {
      this.length ??= this.readHeaders();
      if (this.length === undefined || this.held.length < this.length) return;
      const body = this.held.take(this.length);
      this.bytes.give(this.length);
      this.length = undefined;
      const parsed = messageSchema.safeParse(parseJson(body.toString(), { code: 'protocol' }));
      if (!parsed.success) throw new Error(`not a request: ${parsed.error.issues[0].message}`);
      const { params } = parsed.data;
      if (params) this.sizes.set(params, body.length);
      callback(parsed.data as Message);
    }
  }

  /** The length given by the headers; undefined while they are incomplete. */
  private readHeaders(): number | undefined {
    if (this.held.length === 0) return undefined;
    const start = this.held.peek(maxHeaders);
    const end = start.indexOf(headersEnd);
    if (end < 0) {
      if (start.length >= maxHeaders) throw new Error('the headers are missing');
      return undefined;
    }
    const announced = /^content-length:[ \t]*(\d{1,12})[ \t]*$/im.exec(start.toString('latin1', 0, end))?.[1];
    if (announced === undefined) throw new Error('the headers do not give a length');
    if (Number(announced) > this.limit())
      throw new Error(`a message of ${announced} bytes; the maximum is ${this.limit()}`);
    if (!this.bytes.take(Number(announced)))
      throw new Error(`a message of ${announced} bytes, with too many of others`);
    this.held.take(end + headersEnd.length);
    return Number(announced);
  }
}
