import { beforeAll, describe, it } from 'vitest';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { derivative } from './testing/gradient';
import { runTokens } from './testing/grpo';
import { logSumExp } from './testing/plain';

const logSoftmax = (z: ArrayLike<number>) => {
  const lse = logSumExp(z);
  return Array.from(z, (value) => value - lse);
};

describe.each(backendNames)('the KL term of grpoLoss on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  it.each([
    { kl: 'k1', value: -0.1, slope: 1 },
    { kl: 'k2', value: 0.005, slope: -0.1 },
    { kl: 'k3', value: 0.005170918, slope: -0.105170918 },
    { kl: 'k3+', value: 0.005170918, slope: -0.1 },
  ] as const)('$kl where the reference is 0.1 more likely: $value', ({ kl, value, slope }) => {
    const { loss, gradient, metrics } = runTokens({ logProbs: [-1.1], refLogProbs: [-1] }, { beta: 2, kl });
    expectClose([loss], [2 * value], 1e-4);
    expectClose(gradient, [2 * slope], 1e-5);
    expectClose([metrics[1]], [value], 1e-4);
  });

  // The gradient of a KL term is its slope for each token's log-prob, averaged over the policy's own tokens. Here that
  // average is exact, over all tokens of a small vocabulary, for the policy's logits z.
  const z = Float64Array.from([0.3, -1.2, 0.8, 0, 1.5]);
  const reference = logSoftmax([1, -0.4, 0.1, 0.6, -0.5]);
  const probabilities = logSoftmax(z).map(Math.exp);

  /** sum over tokens of p(token) * slope(token) * d log p(token) / dz */
  function taught(kl: 'k1' | 'k2' | 'k3' | 'k3+'): number[] {
    const { gradient } = runTokens({ logProbs: logSoftmax(z), refLogProbs: reference }, { beta: 1, kl });
    return probabilities.map((_, j) =>
      gradient.reduce((sum, slope, i) => sum + probabilities[i] * slope * (Number(i === j) - probabilities[j]), 0),
    );
  }

  const gradientOf = (f: (logits: Float64Array) => number) => Array.from(z, (_, i) => derivative(f, z, i));
  const reverse = (logits: ArrayLike<number>) =>
    logSoftmax(logits).reduce((sum, l, i) => sum + Math.exp(l) * (l - reference[i]), 0);
  const forward = (logits: ArrayLike<number>) =>
    logSoftmax(logits).reduce((sum, l, i) => sum + Math.exp(reference[i]) * (reference[i] - l), 0);

  it('k1 teaches nothing on average', () => {
    expectClose(taught('k1'), [0, 0, 0, 0, 0], 1e-6, { floor: 1 });
  });

  it.each(['k2', 'k3+'] as const)('%s teaches the gradient of KL(policy || reference)', (kl) => {
    expectClose(taught(kl), gradientOf(reverse), 1e-4);
  });

  it('k3 teaches the gradient of KL(reference || policy)', () => {
    expectClose(taught('k3'), gradientOf(forward), 1e-4);
  });

  it('is measured, but not taught, at weight 0', () => {
    const { loss, gradient, metrics } = runTokens({ logProbs: [-1.1], refLogProbs: [-1] }, { beta: 0, kl: 'k2' });
    expectClose([loss, ...gradient], [0, 0], 1e-9);
    expectClose([metrics[1]], [0.005], 1e-4);
  });
});
