/** The inputs of the kernel that runs all decoder layers in one call (DecodeStep), and decoding by it. */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { Sampling, WeightPrecision } from '../engine-data/sampling';

/**
 * Weights of one decoder layer; null where the architecture has none. Projections are [out, in] as in Hugging Face
 * files.
 */
export interface LayerWeights {
  /** Of the attention's input. [d] */
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
  /** Of the attention's output (Gemma). [d] */
  attentionOutputNorm: Tensor1D | null;
  /** Of the MLP's input. [d] */
  mlpNorm: Tensor1D;
  gate: Tensor2D;
  up: Tensor2D;
  down: Tensor2D;
  /** Of the MLP's output (Gemma). [d] */
  mlpOutputNorm: Tensor1D | null;
}

/** Tables of rotary position embedding, [positions, headDim / 2] each. */
export interface RopeTables {
  cos: Tensor2D;
  sin: Tensor2D;
}

/** The matrices, which are read whole for every token. */
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

/** Sizes that the shapes of packed weights do not show. */
export interface Packing {
  precision: WeightPrecision;
  /** Rows of `gate` and `up`. */
  inner: number;
}

/** The rotary tables among DecodeStep's inputs, in order. */
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
  /** By the names in LayerSpec.rope. */
  ropes: RopeTables[];
  /** Set if the matrices (of the layers, and `head`) are packed by packWeight. */
  packed?: Packing;
}

/** Keys (after rotation) and values of past tokens. Both [layers, slots, kvHeads, maxLength, headDim]. */
export interface KvCache {
  keys: Tensor;
  values: Tensor;
}

export interface DecodeInput {
  /** int32 [n]: the new tokens of all rows, packed; one per row while sampling, whole prompts in the prefill. */
  tokens: Tensor1D;
  /** int32 [rows + 1]: where each row's new tokens begin. */
  starts: Tensor1D;
  /** int32 [rows]: the cache slot of each row. Finished rows are omitted. */
  slots: Tensor1D;
  /** int32 [rows]: number of tokens already in the slot; new ones follow. */
  past: Tensor1D;
}

/**
 * Attributes of the CopySlots kernel: positions 0..length-1 of slot from[i] are copied to slot to[i]; no slot is in
 * both lists.
 */
export interface SlotCopies {
  from: number[];
  to: number[];
  length: number;
}

/** New tokens of some rows, and where they belong; see DecodeInput. */
export interface DecodingStep {
  tokens: readonly number[];
  starts: readonly number[];
  slots: readonly number[];
  past: readonly number[];
}

/** Valid until the next draw. */
export interface Drawn {
  ids: ArrayLike<number>;
  logProbs: ArrayLike<number>;
}

/** A cache and the logits of the last step. */
export interface Decoding {
  /** Runs new tokens through all layers; the logits after each row's last one are then ready to be drawn from. */
  step(step: DecodingStep): void;
  /** Draws a token from each of the logits' rows `first`, `first + 1`, ...: one for each uniform number. */
  draw(first: number, uniforms: readonly number[], sampling: Sampling): Drawn;
  /** Copies slots of the cache. */
  copy(copies: SlotCopies): void;
  dispose(): void;
}

export interface CacheSize {
  slots: number;
  /** Positions of each slot. */
  length: number;
}
