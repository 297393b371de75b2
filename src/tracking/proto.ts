/** The wire format of protocol buffers, as far as event files need it (protobuf.dev/programming-guides/encoding). */

/** Eight bytes, for a field of type double. */
export function encodeDouble(value: number): Buffer & { fixed?: 64 } {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Object.assign(bytes, { fixed: 64 as const });
}

/** Four bytes, for a field of type float. */
export function encodeFloat(value: number): Buffer & { fixed?: 32 } {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Object.assign(bytes, { fixed: 32 as const });
}

type Field = [number: number, value: number | (Buffer & { fixed?: 32 | 64 })];

/**
 * Consecutive fields: an integer as a varint, results of `encodeDouble` and `encodeFloat` unchanged, other bytes with
 * their length.
 */
export function encodeFields(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [varint(number << 3), varint(value)];
      if (value.fixed === 64) return [varint((number << 3) | 1), value];
      if (value.fixed === 32) return [varint((number << 3) | 5), value];
      return [varint((number << 3) | 2), varint(value.length), value];
    }),
  );
}

/** An integer from 0, below 2 ** 53. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}
