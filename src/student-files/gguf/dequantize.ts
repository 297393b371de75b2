/**
 * Decodes ggml's block formats. Layouts follow ggml-common.h, formulas dequantize_row_* in ggml-quants.c
 * (ggml-org/llama.cpp), with float32 rounding after each operation.
 */
import { fromBfloat16, fromFloat16 } from '../half';
import type { TensorTypeName } from './types';

const { fround } = Math;

/** Writes the values of complete blocks, `raw`, to `out`. */
export function dequantize(type: TensorTypeName, raw: Uint8Array, out: Float32Array): void {
  readers[type](raw, out);
}

const readers: Record<TensorTypeName, (raw: Uint8Array, out: Float32Array) => void> = {
  F32: (raw, out) => new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(raw),
  F16: (raw, out) => fromFloat16(asUint16(raw), out),
  BF16: (raw, out) => fromBfloat16(asUint16(raw), out),
  Q8_0: (raw, out) =>
    each(out, 34, 32, (at, to) => {
      const scale = half(raw, at);
      for (let i = 0; i < 32; i++) out[to + i] = scale * ((raw[at + 2 + i] << 24) >> 24);
    }),
  Q4_0: (raw, out) =>
    each(out, 18, 32, (at, to) => {
      const scale = half(raw, at);
      for (let i = 0; i < 16; i++) {
        const byte = raw[at + 2 + i];
        out[to + i] = scale * ((byte & 15) - 8);
        out[to + 16 + i] = scale * ((byte >> 4) - 8);
      }
    }),
  Q4_1: (raw, out) =>
    each(out, 20, 32, (at, to) => {
      const scale = half(raw, at);
      const least = half(raw, at + 2);
      for (let i = 0; i < 16; i++) {
        const byte = raw[at + 4 + i];
        out[to + i] = fround(scale * (byte & 15)) + least;
        out[to + 16 + i] = fround(scale * (byte >> 4)) + least;
      }
    }),
  Q5_0: (raw, out) =>
    each(out, 22, 32, (at, to) => {
      const scale = half(raw, at);
      for (let i = 0; i < 16; i++) {
        const byte = raw[at + 6 + i];
        out[to + i] = scale * (((byte & 15) | fifthBit(raw, at + 2, i)) - 16);
        out[to + 16 + i] = scale * (((byte >> 4) | fifthBit(raw, at + 2, i + 16)) - 16);
      }
    }),
  Q5_1: (raw, out) =>
    each(out, 24, 32, (at, to) => {
      const scale = half(raw, at);
      const least = half(raw, at + 2);
      for (let i = 0; i < 16; i++) {
        const byte = raw[at + 8 + i];
        out[to + i] = fround(scale * ((byte & 15) | fifthBit(raw, at + 4, i))) + least;
        out[to + 16 + i] = fround(scale * ((byte >> 4) | fifthBit(raw, at + 4, i + 16))) + least;
      }
    }),
  Q3_K: (raw, out) => each(out, 110, 256, (at, to) => threeBits(raw, out, at, to)),
  Q4_K: (raw, out) => each(out, 144, 256, (at, to) => superBlock(raw, out, at, to, 16, null)),
  Q5_K: (raw, out) => each(out, 176, 256, (at, to) => superBlock(raw, out, at, to, 48, 16)),
  Q6_K: (raw, out) => each(out, 210, 256, (at, to) => sixBits(raw, out, at, to)),
  IQ4_NL: (raw, out) => each(out, 18, 32, (at, to) => tableValues({ raw, at: at + 2, out, to }, half(raw, at))),
  IQ4_XS: (raw, out) => each(out, 136, 256, (at, to) => scaledTables(raw, out, at, to)),
};

function each(out: Float32Array, bytes: number, block: number, read: (at: number, to: number) => void): void {
  const blocks = out.length / block;
  for (let i = 0; i < blocks; i++) read(i * bytes, i * block);
}

function asUint16(raw: Uint8Array): Uint16Array {
  const aligned = raw.byteOffset % 2 === 0 ? raw : raw.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

const bits = new Uint16Array(1);
const value = new Float32Array(1);

function half(raw: Uint8Array, at: number): number {
  bits[0] = raw[at] | (raw[at + 1] << 8);
  fromFloat16(bits, value);
  return value[0];
}

/** Bit `i` of the 32 high bits at `at`, as the fifth bit of a value. */
const fifthBit = (raw: Uint8Array, at: number, i: number) => ((raw[at + (i >> 3)] >> (i & 7)) & 1) << 4;

/**
 * 256 values of Q4_K and Q5_K: scale, scale of the minima, eight 6-bit pairs of them in 12 bytes, then 4 bits a value
 * at `low` and, for Q5_K, a fifth bit at `high`.
 */
// biome-ignore lint/complexity/useMaxParams: called for every 256 values, where an object would be made for each.
function superBlock(
  raw: Uint8Array,
  out: Float32Array,
  at: number,
  to: number,
  low: number,
  high: number | null,
): void {
  const scale = half(raw, at);
  const least = half(raw, at + 2);
  const packed = at + 4;
  for (let group = 0; group < 8; group++) {
    let six = raw[packed + group] & 63;
    let sixLeast = raw[packed + group + 4] & 63;
    if (group >= 4) {
      six = (raw[packed + group + 4] & 15) | ((raw[packed + group - 4] >> 6) << 4);
      sixLeast = (raw[packed + group + 4] >> 4) | ((raw[packed + group] >> 6) << 4);
    }
    const factor = fround(scale * six);
    const minimum = fround(least * sixLeast);
    const from = at + low + 32 * (group >> 1);
    for (let i = 0; i < 32; i++) {
      const byte = raw[from + i];
      let quantum = group & 1 ? byte >> 4 : byte & 15;
      if (high !== null) quantum |= ((raw[at + high + i] >> group) & 1) << 4;
      out[to + 32 * group + i] = fround(factor * quantum) - minimum;
    }
  }
}

/** 256 values of Q6_K: 4 low bits each in 128 bytes, 2 high bits in 64, sixteen 8-bit scales, and their scale. */
function sixBits(raw: Uint8Array, out: Float32Array, at: number, to: number): void {
  const scale = half(raw, at + 208);
  for (let part = 0; part < 2; part++) {
    const low = at + 64 * part;
    const high = at + 128 + 32 * part;
    for (let quarter = 0; quarter < 4; quarter++)
      for (let i = 0; i < 32; i++) {
        const byte = raw[low + i + (quarter & 1 ? 32 : 0)];
        const four = quarter < 2 ? byte & 15 : byte >> 4;
        const two = (raw[high + i] >> (2 * quarter)) & 3;
        const own = (raw[at + 192 + 8 * part + 2 * quarter + (i >> 4)] << 24) >> 24;
        out[to + 128 * part + 32 * quarter + i] = fround(scale * own) * ((four | (two << 4)) - 32);
      }
  }
}

/** 256 values of Q3_K: a high bit each in 32 bytes, 2 low bits in 64, sixteen 6-bit scales in 12, and their scale. */
function threeBits(raw: Uint8Array, out: Float32Array, at: number, to: number): void {
  const scale = half(raw, at + 108);
  const scales = at + 96;
  for (let group = 0; group < 16; group++) {
    const low = (raw[scales + (group & 7)] >> (4 * (group >> 3))) & 15;
    const high = (raw[scales + 8 + (group & 3)] >> (2 * (group >> 2))) & 3;
    const factor = fround(scale * ((low | (high << 4)) - 32));
    for (let i = 16 * group; i < 16 * group + 16; i++) {
      const two = (raw[at + 32 + 32 * (i >> 7) + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;
      const highBit = (raw[at + (i & 31)] >> (i >> 5)) & 1;
      out[to + i] = factor * (two - (highBit ? 0 : 4));
    }
  }
}

/** The 16 values encoded by IQ4's four bits (kvalues_iq4nl in ggml-common.h). */
const iq4Values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** 32 values of IQ4 in 16 bytes, the second half of them in the high bits. */
function tableValues(
  { raw, at, out, to }: { raw: Uint8Array; at: number; out: Float32Array; to: number },
  scale: number,
): void {
  for (let i = 0; i < 16; i++) {
    const byte = raw[at + i];
    out[to + i] = scale * iq4Values[byte & 15];
    out[to + 16 + i] = scale * iq4Values[byte >> 4];
  }
}

/** 256 values of IQ4_XS: their scale, eight 6-bit scales (high bits in 2 bytes, low bits in 4), then 4 bits a value. */
function scaledTables(raw: Uint8Array, out: Float32Array, at: number, to: number): void {
  const scale = half(raw, at);
  const highs = raw[at + 2] | (raw[at + 3] << 8);
  for (let group = 0; group < 8; group++) {
    const low = (raw[at + 4 + (group >> 1)] >> (4 * (group & 1))) & 15;
    const high = (highs >> (2 * group)) & 3;
    const place = { raw, at: at + 8 + 16 * group, out, to: to + 32 * group };
    tableValues(place, fround(scale * ((low | (high << 4)) - 32)));
  }
}
