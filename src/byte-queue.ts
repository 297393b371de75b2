/** Bytes that come in pieces and are read from the front. They are joined only when a reader needs them in one. */
export class ByteQueue {
  private pieces: Buffer[] = [];
  private count = 0;

  /** Bytes that are there. */
  get length(): number {
    return this.count;
  }

  push(piece: Buffer): void {
    this.pieces.push(piece);
    this.count += piece.length;
  }

  /** The first bytes, as many as there are up to `most`; they stay. */
  peek(most: number): Buffer {
    if (this.pieces.length > 1 && this.pieces[0].length < most) this.pieces = [Buffer.concat(this.pieces)];
    return this.pieces[0]?.subarray(0, most) ?? Buffer.alloc(0);
  }

  /** Takes the first `size` bytes off; there must be so many. */
  take(size: number): Buffer {
    const bytes = this.peek(size);
    this.count -= size;
    // An empty rest would keep the memory of what was taken.
    if (this.pieces[0]?.length === size) this.pieces.shift();
    else if (size > 0) this.pieces[0] = this.pieces[0].subarray(size);
    return bytes;
  }

  clear(): void {
    this.pieces = [];
    this.count = 0;
  }
}
