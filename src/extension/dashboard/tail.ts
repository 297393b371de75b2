import type { FileHandle } from 'node:fs/promises';
import { UserError } from '../../errors';
import { openForReadingAsync, readAt } from '../../lines';

/**
 * Bytes of the first read, and the most that later reads grow to. A long file is read over several calls: the first
 * lines are there at once, and no call takes long (2 MB take 40 ms to parse). But each costs a message to the page, and
 * time in queues.
 */
const [firstBlock, longestBlock] = [256 * 1024, 2 * 1024 * 1024];
/** Bytes remembered from the end of what was read, to notice when the file was truncated and rewritten. */
const memoryBytes = 256;
const longestLine = 64 * 1024 * 1024;

export interface TailRead {
  /** The file is not the one read before (truncated by a resumed run, replaced or deleted): forget its lines. */
  restarted: boolean;
  lines: { text: string; number: number }[];
  /** More can be read at once. */
  more: boolean;
}

/** Follows a growing file of lines: each call reads only what is new. An incomplete last line waits for its end. */
export class LineTail {
  private offset = 0;
  private line = 0;
  private last = Buffer.alloc(0);
  private block = firstBlock;

  constructor(readonly file: string) {}

  async read(): Promise<TailRead> {
    let handle: FileHandle;
    try {
      handle = await openForReadingAsync(this.file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        return { restarted: this.forget(), lines: [], more: false };
      if (error instanceof UserError) throw error;
      throw new UserError(`cannot be read: ${(error as Error).message}`, { file: this.file, cause: error });
    }
    try {
      const { size } = await handle.stat();
      const restarted = (await this.wasReplaced(handle, size)) && this.forget();
      for (let length = this.block; ; length *= 2) {
        const block = await readAt(handle, this.offset, Math.min(length, size - this.offset));
        const end = block.lastIndexOf(10) + 1;
        const rest = size - this.offset - block.length;
        if (end === 0 && rest > 0 && length < longestLine) continue;
        if (end === 0 && rest > 0)
          throw new UserError(`a line is longer than ${longestLine} bytes`, { file: this.file, line: this.line + 1 });
        this.block = Math.min(2 * this.block, longestBlock);
        return { restarted, lines: this.take(block.subarray(0, end)), more: rest > 0 };
      }
    } finally {
      await handle.close();
    }
  }

  private async wasReplaced(handle: FileHandle, size: number): Promise<boolean> {
    if (size < this.offset) return true;
    const before = await readAt(handle, this.offset - this.last.length, this.last.length);
    return !before.equals(this.last);
  }

  private take(bytes: Buffer): TailRead['lines'] {
    if (bytes.length === 0) return [];
    this.offset += bytes.length;
    this.last = Buffer.from(Buffer.concat([this.last, bytes.subarray(-memoryBytes)]).subarray(-memoryBytes));
    const texts = bytes.toString('utf8').split('\n');
    texts.pop(); // after the last line end
    return texts.map((text) => ({ text, number: ++this.line }));
  }

  /** Whether anything was forgotten. */
  private forget(): boolean {
    const had = this.offset > 0;
    this.offset = 0;
    this.line = 0;
    this.last = Buffer.alloc(0);
    return had;
  }
}
