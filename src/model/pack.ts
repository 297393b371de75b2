/** Weights for sampling: with the adapter merged, in the format for fast decoding. */
import { dispose, keep, type Tensor, type Tensor2D, tidy } from '@tensorflow/tfjs-core';
import type { WeightPrecision } from '../engine-data/sampling';
import { layerMatrices } from '../kernels/decoder';
import { type DecoderWeights, type LayerWeights, packWeight } from '../kernels/interface';
import { embedName, headName, layerName } from '../student-files/parameters';
import { mergedParameter } from './merge';
import { decoderWeights, type Model } from './transformer';

/**
 * A packed copy of the model's current weights, for sequences of up to this many positions, and a function that frees
 * it.
 */
export function packDecoder(model: Model, positions: number, precision: WeightPrecision) {
  const made: Tensor[] = [];
  const free = () => dispose(made);
  const pack = (name: string) => {
    const packed = tidy(() => keep(packWeight(mergedParameter(model, name) as Tensor2D, precision)));
    made.push(packed);
    return packed as Tensor2D;
  };
  try {
    const plain = decoderWeights(model, positions);
    const layers = plain.layers.map((layer, i): LayerWeights => {
      const packed = layerMatrices.map((weight) => [weight, pack(layerName(model.config, i, weight))]);
      return { ...layer, ...Object.fromEntries(packed) };
    });
    const head = pack(model.config.tied ? embedName : headName);
    const packed = { precision, inner: model.config.intermediateSize };
    const weights: DecoderWeights = { ...plain, layers, head, packed };
    return { weights, free };
  } catch (error) {
    free();
    throw error;
  }
}
