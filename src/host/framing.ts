/** Reading a client's messages: JSON-RPC 2.0 behind `Content-Length` headers, with limits. */
import type { Socket } from 'node:net';
import { AbstractMessageReader, type DataCallback, type Disposable, type Message } from 'vscode-jsonrpc/node';
import * as z from 'zod';
import { ByteQueue } from '../byte-queue';
import { parseJson } from '../lines';

/** Most bytes of a message's headers. */
const maxHeaders = 4096;
const headersEnd = '\r\n\r\n';

const id = z.union([z.string(), z.number()]);
/** What clients send: requests and notifications. A host asks them nothing, so that there are no responses. */
const messageSchema = z.looseObject({
  jsonrpc: z.literal('2.0'),
  method: z.string(),
  id: id.optional(),
  params: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]).optional(),
});

/**
 * In place of vscode-jsonrpc's reader, which holds as many bytes as a client announces and hands on whatever JSON they
 * are: a message 30,000 arrays deep ended the host. Here the first message that is too long or none is an error, and
 * nothing is read after it.
 */
export class BoundedReader extends AbstractMessageReader {
  private readonly held = new ByteQueue();
  /** Of the message that is awaited; undefined while its headers are. */
  private length?: number;
  private failed = false;

  /** `limit` says how many bytes a message may have just now. */
  constructor(
    private readonly socket: Socket,
    private readonly limit: () => number,
  ) {
    super();
  }

  listen(callback: DataCallback): Disposable {
    const onData = (chunk: Buffer) => {
      if (this.failed) return;
      try {
        this.take(chunk, callback);
      } catch (error) {
        this.failed = true;
        this.held.clear();
        this.fireError(error as Error);
      }
    };
    this.socket.on('data', onData);
    this.socket.on('close', () => this.fireClose());
    return { dispose: () => this.socket.off('data', onData) };
  }

  private take(chunk: Buffer, callback: DataCallback): void {
    this.held.push(chunk);
    for (;;) {
      this.length ??= this.readHeaders();
      if (this.length === undefined || this.held.length < this.length) return;
      const body = this.held.take(this.length);
      this.length = undefined;
      callback(messageSchema.parse(parseJson(body.toString(), { code: 'protocol' })) as Message);
    }
  }

  /** The length that the headers announce; undefined when they are not there as a whole. */
  private readHeaders(): number | undefined {
    if (this.held.length === 0) return undefined;
    const start = this.held.peek(maxHeaders);
    const end = start.indexOf(headersEnd);
    if (end < 0) {
      if (start.length >= maxHeaders) throw new Error('there are no headers');
      return undefined;
    }
    const announced = /^content-length:[ \t]*(\d{1,12})[ \t]*$/im.exec(start.toString('latin1', 0, end))?.[1];
    if (announced === undefined) throw new Error('the headers announce no length');
    if (Number(announced) > this.limit())
      throw new Error(`a message of ${announced} bytes; at most ${this.limit()} are read`);
    this.held.take(end + headersEnd.length);
    return Number(announced);
  }
}
