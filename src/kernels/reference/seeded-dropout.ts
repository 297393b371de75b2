import { mul, tensor } from '@tensorflow/tfjs-core';
import { bits } from '../../random';
import type { Reference, References } from './kernel';

/**
 * Element i is kept, as x / (1 - rate), if its random fraction bits(seed, i) / 2^32 is at least `rate`. The mask is
 * computed on the host, as tfjs has no unsigned integer arithmetic, and x need not be read back.
 */
const seededDropout: Reference<{ rate: number; seed: number }> = ({ x }, { rate, seed }) => {
  const threshold = rate * 2 ** 32;
  const factor = 1 / (1 - rate);
  const mask = Float32Array.from({ length: x.size }, (_, i) => (bits(seed, i) >= threshold ? factor : 0));
  return mul(x, tensor(mask, x.shape));
};

export const seededDropoutReferences: References = { SeededDropout: seededDropout };
