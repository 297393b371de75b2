/** silu (SwiGLU), or GELU by its approximation through the tanh (GeGLU; arXiv 2002.05202). */
export const activations = ['silu', 'gelu_tanh'] as const;
export type Activation = (typeof activations)[number];

/** The computation of one decoder layer of a family; kernels/layer.ts implements it once. */
export interface LayerSpec {
  /** Biases on the projections of q, k and v (Qwen2). */
  qkvBias: boolean;
  /** RMSNorm over each head of q and k, after the bias and before the rotation (Qwen3). */
  headNorm: boolean;
  /** RMSNorm of the outputs of attention and MLP, before they are added to the residual stream (Gemma). */
  outputNorms: boolean;
  activation: Activation;
  /** The rotary table of the layer; null: no rotation (SmolLM3). */
  rope: number | null;
  /** Number of tokens that a token attends to, including itself; null: all earlier ones. */
  window: number | null;
}
