import { add, matMul, type Tensor, type Tensor1D, type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { LayerSpec } from '../../student-files/layer-spec';
import { layerMatrices } from '../decoder';
import { type DecoderShape, type DecoderWeights, embed, type LayerWeights, rmsNorm } from '../interface';
import { decoderLayer } from '../layer';
import { embedTokens, tensorOps } from '../tensor-ops';
import { positionsOf, randomTensor, ropeTables, startsOf } from './random';

export interface DecoderOptions {
  heads: number;
  kvHeads: number;
  headDim: number;
  d: number;
  vocab: number;
  layers: number;
  /** The layers' computation: the given options, else Llama's. */
  spec?: Partial<LayerSpec>;
  /** The window of every second layer, which then has its own rotary table. */
  window?: number;
}

const llamaSpec: LayerSpec = {
  qkvBias: false,
  headNorm: false,
  outputNorms: false,
  activation: 'silu',
  rope: 0,
  window: null,
};

/** A decoder with random weights, large enough that every part of it affects the logits. */
export function randomDecoder(options: DecoderOptions): { weights: DecoderWeights; shape: DecoderShape } {
  const { heads, kvHeads, headDim, d, vocab, window } = options;
  const spec: LayerSpec = { ...llamaSpec, ...options.spec };
  let seed = 100;
  const matrix = (rows: number, columns: number) =>
    randomTensor(seed++, [rows, columns], 1 / Math.sqrt(columns)) as Tensor2D;
  const around = (center: number, size: number) =>
    tidy(() => add(randomTensor(seed++, [size], 0.3), center)) as Tensor1D;
  const m = 2 * d + 1;
  const layer = (): LayerWeights => ({
    inputNorm: around(1, d),
    q: matrix(heads * headDim, d),
    k: matrix(kvHeads * headDim, d),
    v: matrix(kvHeads * headDim, d),
    o: matrix(d, heads * headDim),
    qBias: spec.qkvBias ? around(0, heads * headDim) : null,
    kBias: spec.qkvBias ? around(0, kvHeads * headDim) : null,
    vBias: spec.qkvBias ? around(0, kvHeads * headDim) : null,
    qNorm: spec.headNorm ? around(1, headDim) : null,
    kNorm: spec.headNorm ? around(1, headDim) : null,
    attentionOutputNorm: spec.outputNorms ? around(1, d) : null,
    mlpNorm: around(1, d),
    gate: matrix(m, d),
    up: matrix(m, d),
    down: matrix(d, m),
    mlpOutputNorm: spec.outputNorms ? around(1, d) : null,
  });
  const weights: DecoderWeights = {
    embed: randomTensor(seed++, [vocab, d]) as Tensor2D,
    layers: Array.from({ length: options.layers }, layer),
    norm: around(1, d),
    head: matrix(vocab, d),
    ropes: [10000, ...(window ? [100] : [])].map((base) => ropeTables(64, headDim, base)),
  };
  const specs = Array.from({ length: options.layers }, (_, i) =>
    window && i % 2 === 0 ? { ...spec, window, rope: 1 } : spec,
  );
  // Values that are 0 or 1 for Llama differ here if a layer uses them.
  const [embedScale, offset] = options.spec?.outputNorms ? [1.5, 1] : [1, 0];
  return {
    weights,
    shape: { heads, kvHeads, headDim, scale: 1 / Math.sqrt(headDim), norm: { eps: 1e-6, offset }, embedScale, specs },
  };
}

/** The weights with `change` applied to their matrices. */
export function withMatrices(weights: DecoderWeights, change: (weight: Tensor2D) => Tensor): DecoderWeights {
  const layers = weights.layers.map((layer): LayerWeights => {
    const matrices = layerMatrices.map((name) => [name, change(layer[name])]);
    return { ...layer, ...Object.fromEntries(matrices) };
  });
  return { ...weights, layers, head: change(weights.head) as Tensor2D };
}

/** Every tensor of the weights. */
export function tensorsOf({ layers, ropes, ...rest }: DecoderWeights): Tensor[] {
  return [...Object.values(rest), ...[...layers, ...ropes].flatMap((layer) => Object.values(layer))].filter(
    (x) => x !== null,
  ) as Tensor[];
}

/**
 * The logits after the last token of each sequence, from one forward pass over whole sequences, without a cache.
 * [sequences, vocab]
 */
export function wholeForward(weights: DecoderWeights, shape: DecoderShape, sequences: readonly number[][]): Tensor2D {
  return tidy(() => {
    const lengths = sequences.map((sequence) => sequence.length);
    const starts = startsOf(lengths);
    const { ropes } = weights;
    const over = { positions: positionsOf(lengths), ropes, sequences: { starts, parents: null }, shape };
    let x = embedTokens(weights.embed, tensor1d(sequences.flat(), 'int32'), shape.embedScale);
    shape.specs.forEach((spec, i) => {
      x = decoderLayer(x, spec, tensorOps(weights.layers[i], over));
    });
    const ends = Array.from(starts.dataSync().slice(1), (end) => end - 1);
    const last = rmsNorm(embed(x, tensor1d(ends, 'int32')), weights.norm, shape.norm);
    return matMul(last, weights.head, false, true);
  });
}
