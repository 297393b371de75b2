import { type Tensor2D, tensor } from '@tensorflow/tfjs-core';
import type { WeightPrecision } from '../../engine-data/sampling';
import { kernelNames } from '../interface';
import type { Inputs, References } from './kernel';

/** Rounds to 8 significant bits, ties to even; NaN stays NaN. */
function toBfloat16(values: Float32Array): Float32Array {
  const rounded = values.slice();
  const bits = new Uint32Array(rounded.buffer);
  for (let i = 0; i < bits.length; i++) {
    const lost = bits[i] & 0xffff;
    const up = lost > 0x8000 || (lost === 0x8000 && (bits[i] & 0x10000) !== 0);
    if (!Number.isNaN(values[i])) bits[i] = (bits[i] & 0xffff0000) + (up ? 0x10000 : 0);
  }
  return rounded;
}

/** Rounds each row to multiples of its largest magnitude / 127. */
function toInt8(values: Float32Array, columns: number): Float32Array {
  const rounded = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += columns) {
    const row = values.subarray(at, at + columns);
    const scale = Math.fround(row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
    const { fround } = Math;
    const nearest = (value: number) => Math.sign(value) * Math.trunc(fround(fround(Math.abs(value) / scale) + 0.5));
    rounded.set(scale === 0 ? row : row.map((value) => nearest(value) * scale), at);
  }
  return rounded;
}

/** A plain matrix of rounded numbers. */
export function packWeight({ weight }: Inputs, { precision }: { precision: WeightPrecision }) {
  if (precision === 'float32') return weight.clone();
  const values = weight.dataSync<'float32'>();
  const [rows, columns] = (weight as Tensor2D).shape;
  return tensor(precision === 'bfloat16' ? toBfloat16(values) : toInt8(values, columns), [rows, columns]);
}

export const packWeightReferences: References = { [kernelNames.packWeight]: packWeight };
