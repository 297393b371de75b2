/**
 * Message framing on a pipe: `Content-Length: <bytes>`, an empty line, and that many bytes of UTF-8 JSON (as in the
 * Language Server Protocol).
 */
import { ByteQueue } from '../../byte-queue';
import { UserError } from '../../errors';
import { encode } from '../../json';
import { parseJson } from '../../lines';

/** Maximum bytes of a message: V8 strings are limited to half a gigabyte. */
export const maxMessageBytes = 256 << 20;
/**
 * Bytes of other output that are tolerated before the first message, as a login shell or module system may print some.
 */
const maxPreamble = 64 << 10;
const maxHeader = 4 << 10;

const separator = Buffer.from('\r\n\r\n');

export type EngineMessage = Record<string, unknown>;

/** Encodes a message. @throws UserError when it is too long */
export function frameOf(message: EngineMessage): Buffer {
  const body = Buffer.from(encode(message));
  if (body.length > maxMessageBytes)
    throw new UserError(`a message to the engine has ${body.length} bytes; the maximum is ${maxMessageBytes}`, {
      code: 'config',
      remedy: 'Lower prompts, group or maxNewTokens, so that an update has fewer tokens.',
    });
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}

/** Decodes messages from a stream of bytes. */
export class FrameReader {
  private readonly held = new ByteQueue();
  /** Of the current message, once its header is read. */
  private wanted: number | null = null;
  private started = false;

  /** @param stray is called with output before the first message that is not part of one */
  constructor(private readonly stray: (text: string) => void) {}

  /** The messages that are complete now. @throws Error when the bytes are not messages */
  *read(chunk: Buffer): Generator<EngineMessage> {
    this.held.push(chunk);
    while (this.wanted !== null || this.readHeader()) {
      if (this.held.length < this.wanted!) return;
      const body = this.held.take(this.wanted!);
      this.wanted = null;
      const value = parseJson(body.toString('utf8'), {});
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new Error('a message is not an object');
      yield value as EngineMessage;
    }
  }

  /** Output before the first message, if none has arrived yet. */
  get unread(): string {
    return this.started ? '' : this.held.peek(maxPreamble).toString('utf8');
  }

  private readHeader(): boolean {
    const bytes = this.held.peek(this.held.length);
    if (!this.started) {
      const at = bytes.indexOf('Content-Length:');
      if (at < 0 && bytes.length > maxPreamble) throw noMessage(bytes.toString('utf8', 0, 200));
      if (at < 0) return false;
      if (at > 0) this.stray(this.held.take(at).toString('utf8'));
      this.started = true;
      return this.readHeader();
    }
    const end = bytes.indexOf(separator);
    const header = bytes.toString('latin1', 0, end < 0 ? maxHeader : end);
    if (end < 0 && header.length < maxHeader && mayBeHeader(header)) return false;
    const [, length] = /^Content-Length: *(\d{1,12})\r?$/im.exec(header) ?? [];
    if (end < 0 || length === undefined) throw noMessage(header);
    if (Number(length) > maxMessageBytes)
      throw new Error(`a message announces ${length} bytes; the maximum is ${maxMessageBytes}`);
    this.held.take(end + separator.length);
    this.wanted = Number(length);
    return true;
  }
}

const mayBeHeader = (text: string) => 'content-'.startsWith(text.slice(0, 8).toLowerCase());

const noMessage = (text: string) =>
  new Error(`it wrote something that is not a message: ${JSON.stringify(text.trim().slice(0, 200))}`);
