/** A queue of bytes that arrive in pieces. They are joined only when a reader needs them contiguous. */
export class ByteQueue {
  private pieces: Buffer[] = [];
  private count = 0;

  /** Number of bytes in the queue. */
  get length(): number {
    return this.count;
  }

  push(piece: Buffer): void {
    this.pieces.push(piece);
    this.count += piece.length;
  }

  /** The first bytes, up to `most`, without removing them. */
  peek(most: number): Buffer {
    if (this.pieces.length > 1 && this.pieces[0].length < most) this.pieces = [Buffer.concat(this.pieces)];
    return this.pieces[0]?.subarray(0, most) ?? Buffer.alloc(0);
  }

  /** Removes and returns the first `size` bytes, which must be available. */
  take(size: number): Buffer {
    const bytes = this.peek(size);
    this.count -= size;
    // An empty rest would keep the memory of the removed bytes.
    if (this.pieces[0]?.length === size) this.pieces.shift();
    else if (size > 0) this.pieces[0] = this.pieces[0].subarray(size);
    return bytes;
  }

  clear(): void {
    this.pieces = [];
    this.count = 0;
  }
}
