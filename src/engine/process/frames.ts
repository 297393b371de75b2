/**
 * Messages on a pipe: `Content-Length: <bytes>`, an empty line, and so many bytes of UTF-8 JSON (as the Language Server
 * Protocol frames).
 */
import { ByteQueue } from '../../byte-queue';
import { UserError } from '../../errors';
import { encode } from '../../json';
import { parseJson } from '../../lines';

/** A message has at most so many bytes: V8 holds no text of more than half a gigabyte. */
export const maxMessageBytes = 256 << 20;
/** So much of what is no message is let pass before the first one: what a login shell or a module system prints. */
const maxPreamble = 64 << 10;
const maxHeader = 4 << 10;

const separator = Buffer.from('\r\n\r\n');

export type Message = Record<string, unknown>;

/** The bytes of a message. @throws UserError when it is too long for the pipe */
export function frameOf(message: Message): Buffer {
  const body = Buffer.from(encode(message));
  if (body.length > maxMessageBytes)
    throw new UserError(`a message to the engine has ${body.length} bytes, and ${maxMessageBytes} are the most`, {
      code: 'config',
      remedy: 'Lower prompts, group or maxNewTokens, so that an update has fewer tokens.',
    });
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}

/** Takes bytes as they come, and gives the messages that they hold. */
export class FrameReader {
  private readonly held = new ByteQueue();
  /** Of the message at hand, once its header is read. */
  private wanted: number | null = null;
  private begun = false;

  /** @param stray is told what came before the first message and belongs to none. */
  constructor(private readonly stray: (text: string) => void) {}

  /** The messages that are whole now. @throws Error that says why these bytes are no messages */
  *read(chunk: Buffer): Generator<Message> {
    this.held.push(chunk);
    while (this.wanted !== null || this.readHeader()) {
      if (this.held.length < this.wanted!) return;
      const body = this.held.take(this.wanted!);
      this.wanted = null;
      const value = parseJson(body.toString('utf8'), {});
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new Error('a message is no object');
      yield value as Message;
    }
  }

  /** What came before the first message, where there was none yet. */
  get unread(): string {
    return this.begun ? '' : this.held.peek(maxPreamble).toString('utf8');
  }

  private readHeader(): boolean {
    const bytes = this.held.peek(this.held.length);
    if (!this.begun) {
      const at = bytes.indexOf('Content-Length:');
      if (at < 0 && bytes.length > maxPreamble) throw noMessage(bytes.toString('utf8', 0, 200));
      if (at < 0) return false;
      if (at > 0) this.stray(this.held.take(at).toString('utf8'));
      this.begun = true;
      return this.readHeader();
    }
    const end = bytes.indexOf(separator);
    const header = bytes.toString('latin1', 0, end < 0 ? maxHeader : end);
    if (end < 0 && header.length < maxHeader && mayBeHeader(header)) return false;
    const [, length] = /^Content-Length: *(\d{1,12})\r?$/im.exec(header) ?? [];
    if (end < 0 || length === undefined) throw noMessage(header);
    if (Number(length) > maxMessageBytes)
      throw new Error(`a message of ${length} bytes is announced, and ${maxMessageBytes} are the most`);
    this.held.take(end + separator.length);
    this.wanted = Number(length);
    return true;
  }
}

const mayBeHeader = (text: string) => 'content-'.startsWith(text.slice(0, 8).toLowerCase());

const noMessage = (text: string) =>
  new Error(`it wrote what is no message: ${JSON.stringify(text.trim().slice(0, 200))}`);
