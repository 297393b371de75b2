/** What one decoder layer of a family computes; the layer itself is written once, in kernels/layer.ts. */
export interface LayerSpec {
  /** Biases on the projections of q, k and v (Qwen2). */
  qkvBias: boolean;
  /** RMSNorm over each head of q and k, after the bias and before the rotation (Qwen3). */
  headNorm: boolean;
}
