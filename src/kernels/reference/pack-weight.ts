import { type Tensor2D, tensor } from '@tensorflow/tfjs-core';
import type { WeightPrecision } from '../../engine-data/sampling';
import { fromBfloat16, toBfloat16 } from '../../student-files/half';
import { kernelNames } from '../interface';
import type { Inputs, References } from './kernel';

function rounded(values: Float32Array): Float32Array {
  const halves = new Uint16Array(values.length);
  toBfloat16(values, halves);
  const out = new Float32Array(values.length);
  fromBfloat16(halves, out);
  return out;
}

/** Rounds each row to multiples of its largest magnitude / 127. */
function toInt8(values: Float32Array, columns: number): Float32Array {
  const steps = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += columns) {
    const row = values.subarray(at, at + columns);
    const scale = Math.fround(row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
    const { fround } = Math;
    const nearest = (value: number) => Math.sign(value) * Math.trunc(fround(fround(Math.abs(value) / scale) + 0.5));
    steps.set(scale === 0 ? row : row.map((value) => nearest(value) * scale), at);
  }
  return steps;
}

/** A plain matrix of rounded numbers. */
export function packWeight({ weight }: Inputs, { precision }: { precision: WeightPrecision }) {
  if (precision === 'float32') return weight.clone();
  const values = weight.dataSync<'float32'>();
  const [rows, columns] = (weight as Tensor2D).shape;
  return tensor(precision === 'bfloat16' ? rounded(values) : toInt8(values, columns), [rows, columns]);
}

export const packWeightReferences: References = { [kernelNames.packWeight]: packWeight };
