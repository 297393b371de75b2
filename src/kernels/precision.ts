import { engine, findBackend } from '@tensorflow/tfjs-core';
import type { ProductPrecision } from '../engine-data/training';
import { EmbeddedBackend } from './embedded/backend';

/**
 * Runs `work`, which must be synchronous, with the factors of matrix products rounded to the given precision (default:
 * float32);
 * sums stay in float32. Only embedded backends round; others ignore it.
 */
export function withProducts<T>(precision: ProductPrecision | undefined, work: () => T): T {
  const backend = findBackend(engine().backendName);
  if (precision !== 'bfloat16' || !(backend instanceof EmbeddedBackend)) return work();
  backend.call.round_products(1);
  try {
    return work();
  } finally {
    backend.call.round_products(0);
  }
}
