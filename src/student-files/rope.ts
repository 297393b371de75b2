/** Tables of rotary position embedding (arXiv 2104.09864), with the rounding of transformers so that logits agree. */
import type { Llama3Scaling, RopeSettings, YarnScaling } from './config-rope';

/** Angle per position of each pair of dimensions: float32 [headDim / 2]. */
export function inverseFrequencies(headDim: number, { ropeTheta, ropeScaling }: RopeSettings): Float32Array {
  const plain = Float32Array.from(
    { length: headDim / 2 },
    (_, i) => 1 / Math.fround(ropeTheta ** Math.fround((2 * i) / headDim)),
  );
  switch (ropeScaling?.type) {
    case undefined:
      return plain;
    case 'linear':
      return plain.map((frequency) => frequency / ropeScaling.factor);
    case 'llama3':
      return llama3Frequencies(plain, ropeScaling);
    case 'yarn':
      return yarnFrequencies(plain, ropeTheta, ropeScaling);
  }
}

/**
 * Llama 3.1: long waves are stretched by `factor`, short ones kept, those between interpolated (transformers,
 * modeling_rope_utils).
 */
function llama3Frequencies(plain: Float32Array, scaling: Llama3Scaling): Float32Array {
  const { factor, lowFreqFactor, highFreqFactor, originalPositions } = scaling;
  return plain.map((frequency) => {
    const turns = (originalPositions * frequency) / (2 * Math.PI);
    const blend = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
    return (1 - blend) * (frequency / factor) + blend * frequency;
  });
}

/**
 * YaRN (arXiv 2309.00071, section 3.2; transformers, modeling_rope_utils): as above, but interpolated linearly over the
 * pairs of dimensions between those that rotate betaFast and betaSlow times.
 */
function yarnFrequencies(plain: Float32Array, ropeTheta: number, scaling: YarnScaling): Float32Array {
  const { factor, betaFast, betaSlow, originalPositions, truncate } = scaling;
  const headDim = 2 * plain.length;
  const pairThatTurns = (turns: number) =>
    (headDim * Math.log(originalPositions / (turns * 2 * Math.PI))) / (2 * Math.log(ropeTheta));
  const first = pairThatTurns(betaFast);
  const last = pairThatTurns(betaSlow);
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, headDim - 1);
  const width = low === high ? 0.001 : high - low;
  return plain.map((frequency, pair) => {
    const stretched = Math.min(1, Math.max(0, (pair - low) / width));
    return (frequency / factor) * stretched + frequency * (1 - stretched);
  });
}

/**
 * cos and sin of every angle up to `positions`: [positions, headDim / 2] each. Angles are float32 products, as in
 * transformers.
 */
export function ropeValues(
  headDim: number,
  rope: RopeSettings,
  positions: number,
): { cos: Float32Array; sin: Float32Array } {
  const frequencies = inverseFrequencies(headDim, rope);
  const scale = rope.ropeScaling?.type === 'yarn' ? rope.ropeScaling.attentionFactor : 1;
  const half = frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++)
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * frequencies[i]);
      cos[position * half + i] = Math.fround(Math.cos(angle)) * scale;
      sin[position * half + i] = Math.fround(Math.sin(angle)) * scale;
    }
  return { cos, sin };
}
