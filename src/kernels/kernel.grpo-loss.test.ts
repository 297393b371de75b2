import { engine, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GrpoLossOptions } from '../losses/token-gradient';
import { Random } from '../random';
import { grpoLoss } from './interface';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { derivative } from './testing/gradient';
import { plainOptions, runGrpoLoss, runTokens } from './testing/grpo';
import { type PlainGrpoInputs, plainGrpoLoss } from './testing/plain-grpo';

/**
 * Completions of awkward lengths: one empty, one all masked, masked tokens in others, far from the policy that sampled
 * them.
 */
function randomInputs(): PlainGrpoInputs {
  const random = new Random(70);
  const lengths = [1, 31, 0, 2, 5, 65];
  const starts = [0];
  for (const length of lengths) starts.push(starts[starts.length - 1] + length);
  const n = starts[lengths.length];
  const numbers = (deviation: number, mean: number) =>
    Float32Array.from({ length: n }, () => mean + deviation * random.normal());
  const mask = Float32Array.from({ length: n }, (_, i) =>
    Number(random.uniform() < 0.8 && !(i >= starts[4] && i < starts[5])),
  );
  mask[0] = 1;
  const logProbs = numbers(0.5, -1.5);
  return {
    logProbs,
    oldLogProbs: logProbs.map((value) => value + 0.25 * random.normal()),
    refLogProbs: logProbs.map((value) => value + 0.5 * random.normal()),
    advantages: Float32Array.from([1.2, -0.7, 0.4, 0.9, 2, -1.3]),
    mask,
    starts,
  };
}

describe.each(backendNames)('grpoLoss on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  const settings: Partial<GrpoLossOptions>[] = [
    { aggregation: 'sequence', normalizer: 6 },
    { aggregation: 'token', normalizer: 104, clipHigh: 0.28 },
    { aggregation: 'sequence', importance: 'sequence', clipLow: 0.01, clipHigh: 0.02, normalizer: 6 },
    { aggregation: 'token', importance: 'sequence', normalizer: 104 },
    { aggregation: 'sequence', beta: 0.04, kl: 'k3', normalizer: 6 },
    { aggregation: 'token', beta: 0.5, kl: 'k2', normalizer: 100 },
    { aggregation: 'token', beta: 0.5, kl: 'k1', importance: 'sequence', normalizer: 100 },
    { surrogate: 'cispo', aggregation: 'token', clipHigh: 0.1, normalizer: 104 },
    { surrogate: 'cispo', aggregation: 'token', clipHigh: 4, beta: 0.1, kl: 'k3', normalizer: 104 },
    { surrogate: 'sapo', aggregation: 'sequence', normalizer: 6 },
    {
      surrogate: 'sapo',
      aggregation: 'sequence',
      sapoPositive: 2,
      sapoNegative: 3,
      beta: 0.1,
      kl: 'k2',
      normalizer: 6,
    },
    { surrogate: 'sapo', aggregation: 'sequence', importance: 'sequence', sapoPositive: 20, normalizer: 6 },
  ];

  it.each(settings)('equals the formula, its gradient central differences: %j', (given) => {
    const inputs = randomInputs();
    const options = { ...plainOptions, ...given };
    const expected = plainGrpoLoss(inputs, options);
    const { loss, gradient, metrics } = runGrpoLoss(inputs, options);
    expectClose([loss], [expected.loss], 1e-5, { what: 'loss', floor: 0.1 });
    const { tokens, kl, clippedLow, clippedHigh, ratio } = expected;
    expectClose(metrics, [tokens, kl, clippedLow, clippedHigh, ratio, 0, 0, 0], 1e-5, { what: 'metrics' });
    if (options.surrogate === 'clip') expect(clippedLow + clippedHigh).toBeGreaterThan(0);
    if (options.surrogate === 'cispo') expect([clippedLow, clippedHigh > 0]).toEqual([0, options.clipHigh < 1]);
    if (options.surrogate === 'sapo') expect([clippedLow, clippedHigh]).toEqual([0, 0]);
    const logProbs = Float64Array.from(inputs.logProbs);
    const cispoRatios = logProbs.map((l, i) => Math.exp(l - inputs.oldLogProbs[i]));
    const objective = (x: Float64Array) => plainGrpoLoss({ ...inputs, logProbs: x, cispoRatios }, options).loss;
    expectClose(
      gradient,
      Array.from(logProbs, (_, i) => derivative(objective, logProbs, i)),
      1e-4,
      { what: 'gradient' },
    );
  });

  it('is, on policy, the plain policy gradient, also when one tensor is both new and old', () => {
    tidy(() => {
      const logProbs = tensor1d([-1, -2, -0.5, -3]);
      const advantages = tensor1d([2, -1]);
      const mask = tensor1d([1, 1, 1, 1]);
      const starts = tensor1d([0, 3, 4], 'int32');
      const options = { ...plainOptions, aggregation: 'sequence', normalizer: 2 } as const;
      const f = () => grpoLoss({ logProbs, oldLogProbs: logProbs, advantages, mask, starts }, options).loss;
      const { grads, value } = engine().gradients(f, [logProbs]);
      expectClose(value, [-(2 - 1) / 2], 1e-6);
      expectClose(grads[0], [-2 / 6, -2 / 6, -2 / 6, 1 / 2], 1e-6);
    });
  });

  it('clips only on the side where the surrogate would keep growing', () => {
    const high = Math.log(1.5);
    const low = Math.log(0.5);
    const logProbs = [high, high, low, low];
    const advantages = [1, -1, 1, -1];
    const { loss, gradient, metrics } = runTokens(
      { logProbs, oldLogProbs: [0, 0, 0, 0], advantages },
      { clipLow: 0.2, clipHigh: 0.3 },
    );
    expectClose(gradient, [0, 1.5, -0.5, 0], 1e-5);
    expectClose([loss], [-1.3 + 1.5 - 0.5 + 0.8], 1e-5);
    expectClose(metrics, [4, 0, 1, 1, 4, 0, 0, 0], 1e-5);
  });

  it('weighs a sequence by its geometric mean ratio (GSPO)', () => {
    const inputs = {
      logProbs: [-1, -1, -1],
      oldLogProbs: [-1.3, -0.9, -1],
      refLogProbs: null,
      advantages: [2],
      mask: [1, 1, 0],
      starts: [0, 3],
    };
    const s = Math.exp((0.3 - 0.1) / 2);
    const { loss, gradient, metrics } = runGrpoLoss(inputs, { aggregation: 'sequence', importance: 'sequence' });
    expectClose([loss], [-2 * s], 1e-5);
    expectClose(gradient, [-s, -s, 0], 1e-5);
    expectClose(metrics, [2, 0, 0, 0, 2 * s, 0, 0, 0], 1e-5);
    const clipped = runGrpoLoss(inputs, { aggregation: 'sequence', importance: 'sequence', clipHigh: 4e-4 });
    expectClose([clipped.loss], [-2 * (1 + 4e-4)], 1e-6);
    expectClose(clipped.gradient, [0, 0, 0], 0);
    expectClose(clipped.metrics, [2, 0, 0, 1, 2 * s, 0, 0, 0], 1e-5); // one completion, not its two tokens
  });

  it('weighs by a bounded ratio, which is a constant, and loses no token (CISPO)', () => {
    const logProbs = [-0.5, -0.5, -2, -2];
    const oldLogProbs = [-1.5, -1.5, -1, -1];
    const advantages = [1, -1, 1, -1];
    const given = { logProbs, oldLogProbs, advantages };
    const { loss, gradient, metrics } = runTokens(given, { surrogate: 'cispo', clipHigh: 1 });
    const low = Math.exp(-1);
    expectClose(gradient, [-2, 2, -low, low], 1e-5);
    expectClose([loss], [0], 1e-6);
    expectClose(metrics.slice(0, 4), [4, 0, 0, 1], 1e-5);
  });

  it('gates softly, with a temperature for either sign of the advantage (SAPO)', () => {
    const options = { surrogate: 'sapo', sapoPositive: 2, sapoNegative: 4 } as const;
    const on = runTokens({ logProbs: [-1, -1, -1], advantages: [3, -3, 0] }, options);
    expectClose(on.gradient, [-3, 3, 0], 1e-6); // on policy, the plain policy gradient
    expectClose([on.loss], [-3 + 1.5], 1e-6);
    const ratio = Math.exp(0.5);
    const off = runTokens({ logProbs: [-1, -1], oldLogProbs: [-1.5, -1.5], advantages: [1, -1] }, options);
    const slope = (t: number) => ratio / Math.cosh((t * (ratio - 1)) / 2) ** 2;
    expectClose(off.gradient, [-slope(2), slope(4)], 1e-5);
    expectClose(off.metrics, [2, 0, 0, 0, 2 * ratio, 0, 0, 0], 1e-5);
  });

  it('ignores masked tokens, whatever their values', () => {
    const clean = randomInputs();
    const spoil = (values: ArrayLike<number>) => Array.from(values, (value, i) => (clean.mask[i] ? value : Number.NaN));
    const dirty = {
      ...clean,
      logProbs: spoil(clean.logProbs),
      oldLogProbs: spoil(clean.oldLogProbs),
      refLogProbs: spoil(clean.refLogProbs!),
    };
    for (const [importance, surrogate] of [
      ['token', 'clip'],
      ['sequence', 'clip'],
      ['token', 'cispo'],
      ['token', 'sapo'],
    ] as const) {
      const options = { aggregation: 'sequence', importance, surrogate, beta: 0.1 } as const;
      const [a, b] = [runGrpoLoss(clean, options), runGrpoLoss(dirty, options)];
      expect(b).toEqual(a);
      expect(a.gradient.every((value, i) => clean.mask[i] === 1 || value === 0)).toBe(true);
    }
  });

  it('divides by the tokens of the batch (DAPO), or by a constant (Dr. GRPO)', () => {
    const inputs = { ...randomInputs(), refLogProbs: null };
    const n = inputs.mask.length;
    const onPolicy = { ...inputs, oldLogProbs: inputs.logProbs, mask: Array.from({ length: n }, () => 1) };
    const weighted = [1.2 * 1, -0.7 * 31, 0.9 * 2, 2 * 5, -1.3 * 65].reduce((total, part) => total + part, 0);
    expectClose([runGrpoLoss(onPolicy, { normalizer: n }).loss], [-weighted / n], 1e-5);
    expectClose([runGrpoLoss(onPolicy, { normalizer: 6 * 128 }).loss], [-weighted / (6 * 128)], 1e-5);
  });

  it('adds up over micro-batches', () => {
    const inputs = randomInputs();
    const whole = runGrpoLoss(inputs, { normalizer: 77, beta: 0.1 });
    const cut = inputs.starts[3];
    const part = (from: number, to: number, sequences: [number, number]) =>
      runGrpoLoss(
        {
          logProbs: Array.from(inputs.logProbs).slice(from, to),
          oldLogProbs: Array.from(inputs.oldLogProbs).slice(from, to),
          refLogProbs: Array.from(inputs.refLogProbs!).slice(from, to),
          mask: Array.from(inputs.mask).slice(from, to),
          advantages: Array.from(inputs.advantages).slice(...sequences),
          starts: Array.from(inputs.starts)
            .slice(sequences[0], sequences[1] + 1)
            .map((start) => start - from),
        },
        { normalizer: 77, beta: 0.1 },
      );
    const [first, second] = [part(0, cut, [0, 3]), part(cut, inputs.mask.length, [3, 6])];
    expectClose([first.loss + second.loss], [whole.loss], 1e-5, { floor: 0.1 });
    expectClose([...first.gradient, ...second.gradient], whole.gradient, 1e-6);
    expectClose(
      first.metrics.map((value, i) => value + second.metrics[i]),
      whole.metrics,
      1e-5,
    );
  });

  it('refuses a KL term without a reference', () => {
    expect(() => runTokens({ logProbs: [-1] }, { beta: 0.1 })).toThrow(/reference/);
  });
});
