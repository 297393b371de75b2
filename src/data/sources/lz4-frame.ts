/**
 * LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), which Arrow uses for its buffers. Checksums
 * are not verified.
 */

const magic = 0x184d2204;

/** The decompressed bytes. @throws Error for a damaged frame */
export function decodeLz4Frame(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== magic) throw new Error('no LZ4 frame');
  const flags = frame[4];
  const [sized, blockSums, dictionary] = [flags & 8, flags & 16, flags & 1];
  let at = 6 + (sized ? 8 : 0) + (dictionary ? 4 : 0) + 1;
  const output = new Output(sized ? Number(view.getBigUint64(6, true)) : 4 * frame.length);
  for (;;) {
    const head = view.getUint32(at, true);
    at += 4;
    if (head === 0) return output.bytes();
    const block = frame.subarray(at, at + (head & 0x7fffffff));
    at += block.length + (blockSums ? 4 : 0);
    if (head >>> 31) output.append(block);
    else decodeBlock(block, output);
  }
}

/** A growing buffer; later blocks copy from earlier output. */
class Output {
  private held: Uint8Array;
  private length = 0;

  constructor(expected: number) {
    this.held = new Uint8Array(Math.min(expected, 1 << 28));
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.held.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends `count` bytes from `offset` bytes back; the ranges may overlap. */
  repeat(offset: number, count: number): void {
    if (offset === 0 || offset > this.length) throw new Error('an LZ4 offset is out of range');
    this.reserve(count);
    for (let i = 0; i < count; i++) this.held[this.length + i] = this.held[this.length + i - offset];
    this.length += count;
  }

  bytes(): Uint8Array {
    return this.held.slice(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.held.length) return;
    const larger = new Uint8Array(2 * (this.length + count));
    larger.set(this.held.subarray(0, this.length));
    this.held = larger;
  }
}

/** Sequences of literals followed by a copy (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md). */
function decodeBlock(block: Uint8Array, output: Output): void {
  let at = 0;
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    for (let byte = 255; nibble === 15 && byte === 255; ) {
      byte = block[at++];
      length += byte;
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++];
    const literals = lengthFrom(token >> 4);
    output.append(block.subarray(at, at + literals));
    at += literals;
    if (at >= block.length) return;
    const offset = block[at] | (block[at + 1] << 8);
    at += 2;
    output.repeat(offset, lengthFrom(token & 15) + 4);
  }
}
