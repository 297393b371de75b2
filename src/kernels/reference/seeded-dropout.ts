import { mul, tensor } from '@tensorflow/tfjs-core';
import { bits } from '../../random';
import type { Reference, References } from './kernel';

/**
 * Element i stays, as x / (1 - rate), when its random fraction bits(seed, i) / 2^32 is at least `rate`. The mask is
 * made here and uploaded: tfjs has no unsigned integer arithmetic, and nothing of x needs to be read.
 */
const seededDropout: Reference<{ rate: number; seed: number }> = ({ x }, { rate, seed }) => {
  const threshold = rate * 2 ** 32;
  const factor = 1 / (1 - rate);
  const mask = Float32Array.from({ length: x.size }, (_, i) => (bits(seed, i) >= threshold ? factor : 0));
  return mul(x, tensor(mask, x.shape));
};

export const seededDropoutReferences: References = { SeededDropout: seededDropout };
