/**
 * Conversions between float32 and the two 16-bit formats, rounding to nearest, ties to even, as in IEEE 754 and
 * PyTorch. @petamoriken/float16 has no bfloat16.
 */
const one = new Float32Array(1);
const oneBits = new Uint32Array(one.buffer);

export function fromBfloat16(bits: Uint16Array, out: Float32Array): void {
  const target = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) target[i] = bits[i] << 16;
}

export function toBfloat16(values: Float32Array, out: Uint16Array): void {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < source.length; i++) {
    const bits = source[i];
    const notANumber = (bits & 0x7fffffff) > 0x7f800000; // rounding could turn a NaN into an infinity
    out[i] = notANumber ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
}

export function fromFloat16(bits: Uint16Array, out: Float32Array): void {
  for (let i = 0; i < bits.length; i++) {
    const sign = bits[i] & 0x8000 ? -1 : 1;
    const exponent = (bits[i] >> 10) & 31;
    const fraction = bits[i] & 1023;
    if (exponent === 31) out[i] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else out[i] = sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
  }
}

export function toFloat16(values: Float32Array, out: Uint16Array): void {
  for (let i = 0; i < values.length; i++) out[i] = float16Bits(values[i]);
}

function float16Bits(value: number): number {
  one[0] = value;
  const bits = oneBits[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and more round to infinity
  if (magnitude >= 0x38800000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // Subnormal: a multiple of 2^-24. The product is exact, and adding 2^52 rounds it to an even integer.
  return sign | (Math.abs(value) * 2 ** 24 + 2 ** 52 - 2 ** 52);
}
