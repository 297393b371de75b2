/**
 * The decoder layer, written once. Training, the reference of DecodeStep, TensorFlow and the memory estimate each
 * provide the operations. Only the C kernel (kernels/decode.h) has its own form, which tests compare with this one.
 */
import type { Activation, LayerSpec } from '../student-files/layer-spec';
import type { LayerMatrix } from './decoder';

type LayerNorm = 'inputNorm' | 'attentionOutputNorm' | 'mlpNorm' | 'mlpOutputNorm';
type HeadNorm = 'qNorm' | 'kNorm';
export type LayerBias = 'qBias' | 'kBias' | 'vBias';

/**
 * The operations of a layer. X represents the activations of n tokens, [n, width]. Weights are given by name: the
 * implementation knows where they are and what is beside them (an adapter).
 */
export interface LayerOps<X> {
  /** RMSNorm of x [n, d]. */
  norm(x: X, weight: LayerNorm): X;
  /** RMSNorm of each head of x [n, heads * headDim]. */
  headNorm(x: X, weight: HeadNorm): X;
  /** x weightᵀ */
  linear(x: X, weight: LayerMatrix): X;
  addBias(x: X, bias: LayerBias): X;
  /** Adds the bias, if any, then rotates each head by its token's position. `rope` names the tables. */
  rotate(x: X, rope: number, bias: LayerBias | null): X;
  /** Causal attention: q [n, heads * headDim], k and v [n, kvHeads * headDim] -> [n, heads * headDim]. */
  attend(q: X, k: X, v: X, window: number | null): X;
  /** The gated unit of the MLP: activation(gate) * up. */
  glu(gate: X, up: X, activation: Activation): X;
  /** Adds a branch's output to the residual stream. */
  residual(stream: X, given: X, branch: 'attention' | 'mlp'): X;
}

/** x [n, d] -> [n, d], in the order of operations of Hugging Face transformers (models/llama, qwen2, qwen3, gemma3). */
export function decoderLayer<X>(x: X, spec: LayerSpec, ops: LayerOps<X>): X {
  const normed = (given: X, norm: LayerNorm) => (spec.outputNorms ? ops.norm(given, norm) : given);
  const fromAttention = attention(ops.norm(x, 'inputNorm'), spec, ops);
  const attended = ops.residual(x, normed(fromAttention, 'attentionOutputNorm'), 'attention');
  const fromMlp = mlp(ops.norm(attended, 'mlpNorm'), spec, ops);
  return ops.residual(attended, normed(fromMlp, 'mlpOutputNorm'), 'mlp');
}

function attention<X>(x: X, spec: LayerSpec, ops: LayerOps<X>): X {
  const q = placed(x, 'q', spec, ops);
  const k = placed(x, 'k', spec, ops);
  const v = ops.linear(x, 'v');
  return ops.linear(ops.attend(q, k, spec.qkvBias ? ops.addBias(v, 'vBias') : v, spec.window), 'o');
}

/** Queries or keys: their bias, then the norm of each head, then the rotation. */
function placed<X>(x: X, name: 'q' | 'k', { qkvBias, headNorm, rope }: LayerSpec, ops: LayerOps<X>): X {
  const projected = ops.linear(x, name);
  const bias = qkvBias ? (`${name}Bias` as const) : null;
  if (!headNorm && rope !== null) return ops.rotate(projected, rope, bias);
  const biased = bias ? ops.addBias(projected, bias) : projected;
  const normed = headNorm ? ops.headNorm(biased, `${name}Norm`) : biased;
  return rope === null ? normed : ops.rotate(normed, rope, null);
}

function mlp<X>(x: X, { activation }: LayerSpec, ops: LayerOps<X>): X {
  return ops.linear(ops.glu(ops.linear(x, 'gate'), ops.linear(x, 'up'), activation), 'down');
}
