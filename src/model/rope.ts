/** Tables of rotary position embedding (arXiv 2104.09864), with the rounding of transformers so that logits agree. */
import type { ModelConfig } from './config';

/** Angle per position of each pair of dimensions: float32 [headDim / 2]. */
export function inverseFrequencies({
  headDim,
  ropeTheta,
  ropeScaling,
}: Pick<ModelConfig, 'headDim' | 'ropeTheta' | 'ropeScaling'>): Float32Array {
  const plain = Float32Array.from(
    { length: headDim / 2 },
    (_, i) => 1 / Math.fround(ropeTheta ** Math.fround((2 * i) / headDim)),
  );
  if (ropeScaling === null) return plain;
  if (ropeScaling.type === 'linear') return plain.map((frequency) => frequency / ropeScaling.factor);
  // Llama 3.1: long waves are stretched by `factor`, short ones kept, those between blended (transformers, modeling_rope_utils).
  const { factor, lowFreqFactor, highFreqFactor, originalPositions } = ropeScaling;
  return plain.map((frequency) => {
    const turns = (originalPositions * frequency) / (2 * Math.PI);
    const blend = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
    return (1 - blend) * (frequency / factor) + blend * frequency;
  });
}

/** cos and sin of every angle up to `positions`: [positions, headDim / 2] each. Angles are float32 products, as in transformers. */
export function ropeValues(config: ModelConfig, positions: number): { cos: Float32Array; sin: Float32Array } {
  const frequencies = inverseFrequencies(config);
  const half = frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++)
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * frequencies[i]);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  return { cos, sin };
}
