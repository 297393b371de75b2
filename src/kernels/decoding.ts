/** Decoding step by step over a KV cache, on any backend. */
import { backend, dispose, slice, type Tensor2D, tensor1d, tidy, zeros } from '@tensorflow/tfjs-core';
import type { Sampling } from '../engine-data/sampling';
import type { CacheSize, DecoderWeights, Decoding, DecodingStep, Drawn, KvCache, SlotCopies } from './decoder';
import { EmbeddedBackend } from './embedded/backend';
import { EmbeddedDecoding } from './embedded/decoding';
import { cacheShape, copySlots, type DecoderShape, decodeStep, sampleToken } from './interface';

/** A decoding on the current backend. The owner disposes it, and the weights after it. */
export function openDecoding(weights: DecoderWeights, shape: DecoderShape, size: CacheSize): Decoding {
  const current = backend();
  if (current instanceof EmbeddedBackend && weights.packed)
    return new EmbeddedDecoding(current, { ...weights, packed: weights.packed }, shape, size);
  return new TensorDecoding(weights, shape, size);
}

/** By the kernels of any backend. */
class TensorDecoding implements Decoding {
  private cache: KvCache;
  private logits: Tensor2D | null = null;

  constructor(
    private readonly weights: DecoderWeights,
    private readonly shape: DecoderShape,
    size: CacheSize,
  ) {
    const dimensions = cacheShape(shape, size);
    this.cache = { keys: zeros(dimensions), values: zeros(dimensions) };
  }

  step({ tokens, starts, slots, past }: DecodingStep): void {
    const int32 = (values: readonly number[]) => tensor1d(Int32Array.from(values), 'int32');
    const input = { tokens: int32(tokens), starts: int32(starts), slots: int32(slots), past: int32(past) };
    this.logits?.dispose();
    this.logits = null;
    const { logits, cache } = decodeStep(this.weights, this.cache, input, this.shape);
    dispose(Object.values(input));
    [this.logits, this.cache] = [logits, cache];
  }

  draw(first: number, uniforms: readonly number[], sampling: Sampling): Drawn {
    return tidy(() => {
      const logits = slice(this.logits!, [first, 0], [uniforms.length, -1]);
      const { ids, logProbs } = sampleToken(logits, tensor1d([...uniforms], 'float32'), sampling);
      return { ids: ids.dataSync(), logProbs: logProbs.dataSync() };
    });
  }

  copy(copies: SlotCopies): void {
    this.cache = copySlots(this.cache, copies);
  }

  dispose(): void {
    this.logits?.dispose();
    dispose([this.cache.keys, this.cache.values]);
  }
}
