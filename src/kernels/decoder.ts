/** What the decoder of all layers in one call (DecodeStep) works on. */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { WeightPrecision } from '../engine-data/sampling';

/**
 * Weights of one decoder layer; null where the architecture has none. Projections are [out, in] as in Hugging Face
 * files.
 */
export interface LayerWeights {
  /** Of what the attention takes. [d] */
  inputNorm: Tensor1D;
  q: Tensor2D;
  k: Tensor2D;
  v: Tensor2D;
  o: Tensor2D;
  qBias: Tensor1D | null;
  kBias: Tensor1D | null;
  vBias: Tensor1D | null;
  /** RMSNorm over each head of q and k before rotation (Qwen3). [headDim] */
  qNorm: Tensor1D | null;
  kNorm: Tensor1D | null;
  /** Of what the attention gives (Gemma). [d] */
  attentionOutputNorm: Tensor1D | null;
  /** Of what the MLP takes. [d] */
  mlpNorm: Tensor1D;
  gate: Tensor2D;
  up: Tensor2D;
  down: Tensor2D;
  /** Of what the MLP gives (Gemma). [d] */
  mlpOutputNorm: Tensor1D | null;
}

/** Tables of rotary position embedding, [positions, headDim / 2] each. */
export interface RopeTables {
  cos: Tensor2D;
  sin: Tensor2D;
}

/** Which of them are matrices, read whole for every token. */
export const layerMatrices = [
  'q',
  'k',
  'v',
  'o',
  'gate',
  'up',
  'down',
] as const satisfies readonly (keyof LayerWeights)[];

export type LayerMatrix = (typeof layerMatrices)[number];

/** What the shapes of packed weights no longer say. */
export interface Packing {
  precision: WeightPrecision;
  /** Rows of `gate` and `up`. */
  inner: number;
}

/** The rotary tables among DecodeStep's inputs, in their order. */
export function tablesOf<T>(inputs: Record<string, T>): { cos: T; sin: T }[] {
  const count = Object.keys(inputs).filter((name) => /^cos\d+$/.test(name)).length;
  return Array.from({ length: count }, (_, i) => ({ cos: inputs[`cos${i}`], sin: inputs[`sin${i}`] }));
}

export interface DecoderWeights {
  embed: Tensor2D;
  layers: LayerWeights[];
  norm: Tensor1D;
  /** [vocab, d]; the embedding itself when tied. */
  head: Tensor2D;
  /** As the layers name them (LayerSpec.rope). */
  ropes: RopeTables[];
  /** Set where the matrices (of the layers, and `head`) have gone through packWeight. */
  packed?: Packing;
}

/** Keys (after rotation) and values of past tokens. Both [layers, slots, kvHeads, maxLength, headDim]. */
export interface KvCache {
  keys: Tensor;
  values: Tensor;
}

export interface DecodeInput {
  /** int32 [n]: the new tokens of all rows, packed; one a row while generating, whole prompts when prefilling. */
  tokens: Tensor1D;
  /** int32 [rows + 1]: where each row's new tokens begin. */
  starts: Tensor1D;
  /** int32 [rows]: the cache slot of each row. Rows that finished are simply not named any more. */
  slots: Tensor1D;
  /** int32 [rows]: tokens already in the slot; new ones take the positions from there. */
  past: Tensor1D;
}
