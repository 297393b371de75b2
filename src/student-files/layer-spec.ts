/** silu (SwiGLU), or GELU by its approximation through the tanh (GeGLU; arXiv 2002.05202). */
export const activations = ['silu', 'gelu_tanh'] as const;
export type Activation = (typeof activations)[number];

/** What one decoder layer of a family computes; the layer itself is written once, in kernels/layer.ts. */
export interface LayerSpec {
  /** Biases on the projections of q, k and v (Qwen2). */
  qkvBias: boolean;
  /** RMSNorm over each head of q and k, after the bias and before the rotation (Qwen3). */
  headNorm: boolean;
  /** RMSNorm over what the attention and the MLP give, before that is added to the residual stream (Gemma). */
  outputNorms: boolean;
  activation: Activation;
  /** Which of the student's rotary tables turns its heads; null: none does (SmolLM3). */
  rope: number | null;
  /** How many tokens one sees, itself the last of them; null: all before it. */
  window: number | null;
}
