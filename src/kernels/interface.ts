/**
 * The fused operations used by the model, the rollouts and the losses.
 *
 * Each is a kernel registered with tfjs under the name in `kernelNames`, so that tf.grads, tf.tidy and the memory
 * counters work with it: a reference composed of tfjs operations for every backend (`reference/`), and the accelerated
 * form for the embedded backend (`embedded/`, C source in `/kernels`). Gradients are registered once, for all backends
 * (`gradients.ts`).
 *
 * Sequences are packed, never padded: the tokens of all sequences follow each other in the first axis (n), and `starts`
 * (int32 [sequences + 1], starts[0] = 0, the last one = n) gives the beginning of each. No work is spent on padding and
 * no padding mask is needed.
 */
import {
  engine,
  type NamedAttrMap,
  type NamedTensorMap,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
} from '@tensorflow/tfjs-core';
import type { Sampling, WeightPrecision } from '../engine-data/sampling';
import type { GrpoLossOptions } from '../losses/token-gradient';
import type { Activation, LayerSpec } from '../student-files/layer-spec';
import type { CacheSize, DecodeInput, DecoderWeights, KvCache, Packing, RopeTables, SlotCopies } from './decoder';

export type { DecodeInput, DecoderWeights, KvCache, LayerWeights, Packing, RopeTables, SlotCopies } from './decoder';

export const kernelNames = {
  embed: 'Embed',
  rmsNorm: 'RmsNorm',
  rotate: 'Rotate',
  glu: 'Glu',
  seededDropout: 'SeededDropout',
  adaptedLinear: 'AdaptedLinear',
  attend: 'Attend',
  attendShared: 'AttendShared',
  tokenLogProbs: 'TokenLogProbs',
  sampleToken: 'SampleToken',
  grpoLoss: 'GrpoLoss',
  packWeight: 'PackWeight',
  decodeStep: 'DecodeStep',
  copySlots: 'CopySlots',
  adamW: 'AdamW',
  sumSquares: 'SumSquares',
} as const;

/** Names of the backward kernels; each is registered for every backend, like its forward kernel. */
export const gradientKernelNames = {
  embed: 'EmbedGrad',
  rmsNorm: 'RmsNormGrad',
  rotate: 'RotateGrad',
  glu: 'GluGrad',
  adaptedLinear: 'AdaptedLinearGrad',
  attend: 'AttendGrad',
  attendShared: 'AttendSharedGrad',
  tokenLogProbs: 'TokenLogProbsGrad',
} as const;

function run(name: string, inputs: Record<string, Tensor | null | undefined>, attrs: object): Tensor[] {
  const present: NamedTensorMap = {};
  for (const [key, tensor] of Object.entries(inputs)) if (tensor) present[key] = tensor;
  const out = engine().runKernel(name, present, attrs as unknown as NamedAttrMap) as Tensor | Tensor[];
  return Array.isArray(out) ? out : [out];
}

/**
 * Rows of an embedding table. table [vocab, d], ids int32 [n] -> [n, d]. The backward pass adds rows into a dense
 * [vocab, d].
 */
export function embed(table: Tensor2D, ids: Tensor1D): Tensor2D {
  return run(kernelNames.embed, { table, ids }, {})[0] as Tensor2D;
}

export interface NormShape {
  eps: number;
  /** The difference between the factor and the stored weight: Gemma stores factors minus 1. */
  offset: number;
}

/**
 * x / rms(x) * (weight + offset) along the last axis (Zhang & Sennrich, arXiv 1910.07467).
 * x [n, d], weight [d] -> [n, d].
 */
export function rmsNorm(x: Tensor2D, weight: Tensor1D, { eps, offset }: NormShape): Tensor2D {
  // The second output: 1/rms [n], saved for the gradient.
  return run(kernelNames.rmsNorm, { x, weight }, { eps, offset })[0] as Tensor2D;
}

/** Inputs of rotary position embedding: the position of each token and the tables. */
export interface Rope extends RopeTables {
  /** int32 [n] */
  positions: Tensor1D;
}

/**
 * Adds a bias (if any) and rotates each head by its position (RoPE, arXiv 2104.09864, in the half-split order of
 * Hugging Face: dimension i pairs with i + headDim/2). x [n, heads*headDim], bias [heads*headDim] or null.
 */
export function rotate(x: Tensor2D, bias: Tensor1D | null, rope: Rope, headDim: number): Tensor2D {
  return run(kernelNames.rotate, { x, bias, ...rope }, { headDim, bias: bias !== null })[0] as Tensor2D;
}

/** Attributes of the Glu kernel and its gradient. */
export interface GluAttrs {
  activation: Activation;
}

/** activation(gate) * up (arXiv 2002.05202). Both [n, m]. */
export function glu(gate: Tensor2D, up: Tensor2D, activation: Activation): Tensor2D {
  return run(kernelNames.glu, { gate, up }, { activation })[0] as Tensor2D;
}

/** Inverted dropout whose mask is a pure function of (seed, element index). rate in [0, 1). */
export function seededDropout<T extends Tensor>(x: T, rate: number, seed: number): T {
  return (rate === 0 ? x : run(kernelNames.seededDropout, { x }, { rate, seed })[0]) as T;
}

export interface Adaptation {
  /** Factor of the adapter's output (alpha / rank). */
  scale: number;
  /** Dropout rate on the adapter's input; the layer's own product uses all of it. */
  dropout: number;
  /** Of the dropout mask, see seededDropout. */
  seed: number;
}

/**
 * A linear layer whose weight is frozen, with a low-rank adapter beside it (LoRA, arXiv 2106.09685):
 * x weightᵀ + scale * dropout(x) aᵀ bᵀ. x [n, in], weight [out, in], a [rank, in], b [out, rank] -> [n, out].
 * Gradients for x, a and b, none for weight.
 */
export function adaptedLinear(x: Tensor2D, weight: Tensor2D, a: Tensor2D, b: Tensor2D, how: Adaptation): Tensor2D {
  // second output: scale * dropout(x) aᵀ [n, rank], saved for the gradient of b
  return run(kernelNames.adaptedLinear, { x, weight, a, b }, how)[0] as Tensor2D;
}

export interface AttentionShape {
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Factor on the scores, usually 1/sqrt(headDim). */
  scale: number;
  /**
   * Number of tokens that a token attends to, including itself (arXiv 2004.05150); null or absent: all earlier ones.
   */
  window?: number | null;
}

/** How tokens are divided into sequences. */
export interface Sequences {
  /** int32 [sequences + 1]: starts[0] = 0, the last one = n. */
  starts: Tensor1D;
  /**
   * int32 [sequences]: the sequence that each one continues, an earlier one without a parent of its own, or -1.
   * Completions of one prompt can thus share its tokens. null: no sequence has a parent.
   */
  parents: Tensor1D | null;
}

/**
 * Causal grouped-query attention within each packed sequence and, if it has one, its parent. q [n, heads*headDim], k
 * and v [n, kvHeads*headDim] -> [n, heads*headDim]. Stores no [n, n] matrix: the backward pass recomputes scores from
 * the saved log-sum-exp (FlashAttention, arXiv 2205.14135).
 */
export function attend(q: Tensor2D, k: Tensor2D, v: Tensor2D, { starts, parents }: Sequences, shape: AttentionShape) {
  const name = parents ? kernelNames.attendShared : kernelNames.attend;
  return run(name, { q, k, v, starts, parents }, shape)[0] as Tensor2D; // second output: log-sum-exp [n, heads]
}

/**
 * Log-probability of each given id and entropy of its distribution, softmax(hidden . weight^T / temperature), in chunks
 * without storing [n, vocab] (the idea of Liger-Kernel's fused linear losses). hidden [n, d], weight [vocab, d], ids
 * int32 [n]. logProbs [n] has a gradient for hidden and, unless it is `frozen`, for weight; entropy [n] (nats) is a
 * measurement without gradient.
 */
export function tokenLogProbs(
  hidden: Tensor2D,
  weight: Tensor2D,
  ids: Tensor1D,
  temperature = 1,
  frozen = false,
): { logProbs: Tensor1D; entropy: Tensor1D } {
  // The third output: log-sum-exp [n].
  const [logProbs, entropy] = run(kernelNames.tokenLogProbs, { hidden, weight, ids }, { temperature, frozen });
  return { logProbs: logProbs as Tensor1D, entropy: entropy as Tensor1D };
}

/**
 * Samples one token per row by inverse transform: the first id (in id order, among the kept ones) whose cumulative
 * probability exceeds uniforms[row]. logits [rows, vocab], uniforms [rows] in [0, 1). Filters are applied in the order
 * top-k, top-p, min-p, as in Hugging Face transformers; ties keep the lower id. logProbs are those of the tempered
 * distribution before filtering (as in the loss; at temperature 0: at temperature 1).
 */
export function sampleToken(
  logits: Tensor2D,
  uniforms: Tensor1D,
  sampling: Sampling,
): { ids: Tensor1D; logProbs: Tensor1D } {
  const [ids, logProbs] = run(kernelNames.sampleToken, { logits, uniforms }, sampling);
  return { ids: ids as Tensor1D, logProbs: logProbs as Tensor1D };
}

/**
 * Policy loss with KL penalty, and its gradient in the same pass. logProbs, oldLogProbs, refLogProbs, mask [n];
 * advantages [sequences]; starts int32 [sequences + 1] delimit the completions in [n]. Per token:
 * the surrogate's term (src/losses) + beta KL; masked tokens count for nothing (also not in a sequence's mean).
 * loss is a scalar with a gradient for logProbs only; `metrics` is a tensor [8] in the order of GrpoMetrics (rest 0).
 */
export function grpoLoss(
  inputs: {
    logProbs: Tensor1D;
    oldLogProbs: Tensor1D;
    refLogProbs?: Tensor1D | null;
    advantages: Tensor1D;
    mask: Tensor1D;
    starts: Tensor1D;
  },
  options: GrpoLossOptions,
): { loss: Scalar; metrics: Tensor1D } {
  // The second output: dLoss/dLogProbs [n], saved for the gradient.
  const [loss, , metrics] = run(kernelNames.grpoLoss, inputs, options);
  return { loss: loss as Scalar, metrics: metrics as Tensor1D };
}

/**
 * A weight [rows, k] in the format that decodeStep reads fastest, rounded to `precision`; the format depends on the
 * backend. bfloat16: to nearest; int8: to multiples of a scale per row.
 */
export function packWeight(weight: Tensor2D, precision: WeightPrecision): Tensor {
  return run(kernelNames.packWeight, { weight }, { precision })[0];
}

export interface DecoderShape extends Omit<AttentionShape, 'window'> {
  norm: NormShape;
  /** Factor of the embeddings (Gemma: the root of their width). */
  embedScale: number;
  /** The computation of each layer. */
  specs: readonly LayerSpec[];
}

/**
 * Attributes of the DecodeStep kernel. Weights are inputs named `embed`, `norm`, `head`, `<layer>.<name>`;
 * rotary tables `cos<table>` and `sin<table>`.
 */
export interface DecodeAttrs extends DecoderShape {
  /** Null if the weights are plain matrices. */
  packed: Packing | null;
}

/** The shape of a cache's keys, and of its values. */
export const cacheShape = ({ specs, kvHeads, headDim }: DecoderShape, { slots, length }: CacheSize) => [
  specs.length,
  slots,
  kvHeads,
  length,
  headDim,
];

/** The weights among DecodeStep's inputs. */
export function decoderInputs({ embed, norm, head, ropes, layers }: DecoderWeights): Record<string, Tensor | null> {
  const inputs: Record<string, Tensor | null> = { embed, norm, head };
  ropes.forEach(({ cos, sin }, i) => {
    Object.assign(inputs, { [`cos${i}`]: cos, [`sin${i}`]: sin });
  });
  layers.forEach((layer, i) => {
    for (const [name, tensor] of Object.entries(layer)) inputs[`${i}.${name}`] = tensor as Tensor | null;
  });
  return inputs;
}

/**
 * Runs new tokens of a batch through all layers over a KV cache and returns the logits after each row's last one,
 * [rows, vocab]. Consumes `cache`: backends write in place where they can; continue with the returned cache and dispose
 * only that.
 */
export function decodeStep(
  weights: DecoderWeights,
  cache: KvCache,
  input: DecodeInput,
  shape: DecoderShape,
): { logits: Tensor2D; cache: KvCache } {
  const inputs = Object.assign({ ...input, ...cache }, decoderInputs(weights));
  const attrs: DecodeAttrs = { ...shape, packed: weights.packed ?? null };
  const [logits, keys, values] = run(kernelNames.decodeStep, inputs, attrs);
  cache.keys.dispose();
  cache.values.dispose();
  return { logits: logits as Tensor2D, cache: { keys, values } };
}

/**
 * Copies slots of a KV cache, so that all completions of a prompt continue from one pass over it. Consumes `cache` like
 * decodeStep.
 */
export function copySlots(cache: KvCache, copies: SlotCopies): KvCache {
  const [keys, values] = run(kernelNames.copySlots, { keys: cache.keys, values: cache.values }, copies);
  cache.keys.dispose();
  cache.values.dispose();
  return { keys, values };
}

export interface AdamWOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** 1 for the first update. */
  step: number;
  /** Factor of the gradient: clipping by norm and averaging. */
  gradScale: number;
}

/** A weight with the tensors of its update, all of one shape. */
export interface AdamWState {
  parameter: Tensor;
  moment1: Tensor;
  moment2: Tensor;
}

/**
 * Decoupled weight decay Adam (Loshchilov & Hutter, arXiv 1711.05101), as torch.optim.AdamW: p *= 1 - lr*wd, then the
 * bias-corrected step. Takes several weights of one shape at once, because on a backend that runs operations
 * sequentially small calls are dominated by overhead. Consumes parameters and moments (in place where a backend can):
 * dispose the old handles, continue with the returned ones.
 */
export function adamW(weights: readonly (AdamWState & { gradient: Tensor })[], options: AdamWOptions): AdamWState[] {
  const n = weights.length;
  const lists = (['parameter', 'moment1', 'moment2', 'gradient'] as const).flatMap((name) =>
    weights.map((weight) => weight[name]),
  );
  const made = run(kernelNames.adamW, { ...lists } as unknown as Record<string, Tensor>, options);
  return weights.map((_, i) => ({ parameter: made[i], moment1: made[n + i], moment2: made[2 * n + i] }));
}

/** The inputs of AdamW: parameters, first and second moments, gradients. */
export function adamWLists<T>(inputs: Record<string, T>): {
  parameters: T[];
  moments1: T[];
  moments2: T[];
  gradients: T[];
} {
  const all = Object.values(inputs);
  const [parameters, moments1, moments2, gradients] = [0, 1, 2, 3].map((part) =>
    all.slice((part * all.length) / 4, ((part + 1) * all.length) / 4),
  );
  return { parameters, moments1, moments2, gradients };
}

/** Sum of squares over a list of tensors (its root is the global gradient norm). Scalar. */
export function sumSquares(tensors: Tensor[]): Scalar {
  return tidy(() => run(kernelNames.sumSquares, { ...tensors } as unknown as Record<string, Tensor>, {})[0] as Scalar);
}
