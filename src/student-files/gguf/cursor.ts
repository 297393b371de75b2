/** Reads a file sequentially in pieces, and never more than `most` bytes of it. */
import { readFully } from '../files';
import { refuse } from './types';

export interface GgufCursor {
  /** Bytes read so far: the position of the next value. */
  readonly position: number;
  /** Bytes that may still be read. */
  readonly left: number;
  u8(): number;
  i8(): number;
  u16(): number;
  i16(): number;
  u32(): number;
  i32(): number;
  f32(): number;
  f64(): number;
  /** Beyond 2^53 the nearest number. */
  u64(): number;
  i64(): number;
  /** A length-prefixed string of at most `most` bytes. */
  string(most: number, what: string): string;
}

const piece = 1 << 20;

/** A cursor over the first `most` bytes of an open file of `size` bytes. @throws UserError when more is requested */
export function cursor(descriptor: number, size: number, most: number, file: string): GgufCursor {
  const end = Math.min(size, most);
  let buffer = Buffer.alloc(0);
  let start = 0; // of the buffer in the file
  let at = 0; // in the buffer

  /** Loads the next `bytes` bytes into the buffer and advances. Returns their position there. */
  function take(bytes: number): number {
    if (start + at + bytes > end)
      refuse(file, size > end ? `has a header of more than ${most} bytes` : 'is cut off inside its header');
    if (at + bytes > buffer.length) {
      const next = Buffer.allocUnsafe(Math.min(Math.max(bytes, piece), end - start - at));
      const kept = buffer.copy(next, 0, at);
      readFully({ descriptor, file, refuse }, next.subarray(kept), start + at + kept);
      start += at;
      at = 0;
      buffer = next;
    }
    at += bytes;
    return at - bytes;
  }

  const number =
    (bytes: number, read: (place: number) => number): (() => number) =>
    () =>
      read(take(bytes));
  const u64 = number(8, (place) => Number(buffer.readBigUInt64LE(place)));
  return {
    get position() {
      return start + at;
    },
    get left() {
      return end - start - at;
    },
    u8: number(1, (place) => buffer.readUInt8(place)),
    i8: number(1, (place) => buffer.readInt8(place)),
    u16: number(2, (place) => buffer.readUInt16LE(place)),
    i16: number(2, (place) => buffer.readInt16LE(place)),
    u32: number(4, (place) => buffer.readUInt32LE(place)),
    i32: number(4, (place) => buffer.readInt32LE(place)),
    f32: number(4, (place) => buffer.readFloatLE(place)),
    f64: number(8, (place) => buffer.readDoubleLE(place)),
    u64,
    i64: number(8, (place) => Number(buffer.readBigInt64LE(place))),
    string(longest, what) {
      const length = u64();
      if (length > longest) refuse(file, `: ${what} claims ${length} bytes; the maximum is ${longest}`);
      const place = take(length);
      return buffer.toString('utf8', place, place + length);
    },
  };
}
