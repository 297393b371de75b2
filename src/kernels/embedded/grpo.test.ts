import { describe, expect, it } from 'vitest';
import { surrogateNames, surrogates } from '../../losses';
import type { GrpoLossOptions } from '../../losses/token-gradient';
import type { KernelLibrary } from '../native/library';
import { expectClose } from '../testing/close';
import { kernelForms } from '../testing/forms';
import { noise, out, outputsOf } from '../testing/libraries';

const starts = Int32Array.of(0, 1, 10, 10, 25, 40);
const n = 40;
const logProbs = noise(1, n).map((x) => -1 - x);
const old = logProbs.map((l, i) => l + 0.3 * noise(2, n)[i]);
const ref = logProbs.map((l, i) => l + 0.5 * noise(3, n)[i]);
const mask = noise(4, n).map((x) => Number(x > -0.5));
const advantages = noise(5, 5, 2);

const aggregations = ['sequence', 'token'] as const;
const importances = ['token', 'sequence'] as const;
const estimators = ['k1', 'k2', 'k3', 'k3+'] as const;
const base = {
  surrogate: 'clip',
  clipLow: 0.1,
  clipHigh: 0.15,
  sapoPositive: 2,
  sapoNegative: 3,
  beta: 0.3,
  normalizer: 3,
} as const;

function run(
  library: KernelLibrary,
  options: GrpoLossOptions,
  given = { logProbs, old, ref: ref as Float32Array | null },
) {
  const { clipLow, clipHigh, beta, normalizer } = options;
  const modes = [aggregations.indexOf(options.aggregation), importances.indexOf(options.importance)];
  const policy = [surrogateNames.indexOf(options.surrogate), options.sapoPositive, options.sapoNegative];
  const kl = estimators.indexOf(options.kl);
  const sizes = [starts.length - 1, ...modes, clipLow, clipHigh, beta, kl, normalizer, ...policy];
  const inputs = [given.logProbs, given.old, given.ref, advantages, mask, starts];
  const [loss, dLogProbs, metrics] = outputsOf(library, 'grpo_loss', [...inputs, out(1), out(n), out(8), ...sizes]);
  return { loss: loss[0], dLogProbs, metrics };
}

/** Loss, gradient by the rules of each option, and metrics, all written out. */
function plain(options: GrpoLossOptions) {
  const { surrogate, aggregation, importance, clipLow, clipHigh, beta, kl, normalizer } = options;
  const dLogProbs = new Float64Array(n);
  let [loss, tokens, klSum, low, high, ratios] = [0, 0, 0, 0, 0, 0];
  for (let s = 0; s + 1 < starts.length; s++) {
    const places = Array.from({ length: starts[s + 1] - starts[s] }, (_, i) => starts[s] + i).filter((i) => mask[i]);
    const meanChange = places.reduce((sum, i) => sum + logProbs[i] - old[i], 0) / places.length;
    const A = advantages[s];
    for (const i of places) {
      const r = Math.exp(importance === 'sequence' ? meanChange : logProbs[i] - old[i]);
      const clipped = Math.min(Math.max(r, 1 - clipLow), 1 + clipHigh);
      const bounded = Math.min(r, 1 + clipHigh);
      const t = A > 0 ? options.sapoPositive : options.sapoNegative;
      const gate = 1 / (1 + Math.exp(-t * (r - 1)));
      const [value, slope] = {
        clip: [-Math.min(r * A, clipped * A), r * A <= clipped * A ? -r * A : 0],
        cispo: [-bounded * A * logProbs[i], -bounded * A],
        sapo: [(-4 * A * gate) / t, -4 * A * gate * (1 - gate) * r],
      }[surrogate];
      const x = ref[i] - logProbs[i];
      const k3 = Math.exp(x) - x - 1;
      const klValue = { k1: -x, k2: (x * x) / 2, k3, 'k3+': k3 }[kl];
      const klSlope = { k1: 1, k2: -x, k3: 1 - Math.exp(x), 'k3+': -x }[kl];
      const weight = 1 / normalizer / (aggregation === 'sequence' ? places.length : 1);
      loss += weight * (value + beta * klValue);
      dLogProbs[i] = weight * (slope + beta * klSlope);
      tokens++;
      klSum += klValue;
      ratios += r;
      if (importance === 'sequence' && i !== places[0]) continue;
      low += Number(surrogates[surrogate].clips.low && r < 1 - clipLow && A < 0);
      high += Number(surrogates[surrogate].clips.high && r > 1 + clipHigh && A > 0);
    }
  }
  return { loss, dLogProbs, metrics: [tokens, klSum, low, high, ratios, 0, 0, 0] };
}

const every = [
  ...aggregations.flatMap((aggregation) =>
    importances.flatMap((importance) => estimators.map((kl) => ({ ...base, aggregation, importance, kl }))),
  ),
  ...surrogateNames.flatMap((surrogate) =>
    importances.map((importance) => ({ ...base, surrogate, aggregation: 'sequence', importance, kl: 'k3' }) as const),
  ),
];

describe.each(await kernelForms())('grpo_loss on $name', ({ one: alone, three: together }) => {
  it.each(every)('$surrogate, $aggregation, importance $importance, $kl', (options) => {
    const got = run(alone, options);
    const expected = plain(options);
    expectClose([got.loss], [expected.loss], 1e-6);
    expectClose(got.dLogProbs, expected.dLogProbs, 2e-6);
    expectClose(got.metrics, expected.metrics, 2e-6);
    const clips = options.importance === 'token' && surrogates[options.surrogate].clips.high;
    expect(got.metrics[2] + got.metrics[3]).toBeGreaterThan(clips ? 0 : -1);
    expect(run(together, options)).toEqual(got);
  });

  it('is, on policy, REINFORCE: ratios of exactly 1 and the advantage as slope', () => {
    const options = { ...base, aggregation: 'token', importance: 'token', kl: 'k2', beta: 0, normalizer: 1 } as const;
    const { dLogProbs, metrics } = run(alone, options, { logProbs, old: logProbs, ref: null });
    expect(metrics[4]).toBe(metrics[0]);
    for (let i = 0; i < n; i++) {
      const sequence = starts.findIndex((_, s) => i >= starts[s] && i < starts[s + 1]);
      expect(dLogProbs[i]).toBe(mask[i] ? -advantages[sequence] : 0);
    }
  });

  it('has the derivative of its value where the estimator is its own (k2), with one ratio per sequence', () => {
    const options = {
      ...base,
      aggregation: 'sequence',
      importance: 'sequence',
      kl: 'k2',
      clipLow: 9,
      clipHigh: 9,
    } as const;
    const { dLogProbs } = run(alone, options);
    for (const i of [0, 3, 12, 30, 39]) {
      const moved = (by: number) =>
        run(alone, options, { logProbs: logProbs.map((l, j) => (j === i ? l + by : l)), old, ref });
      expect((moved(0.02).loss - moved(-0.02).loss) / 0.04).toBeCloseTo(dLogProbs[i], 4);
    }
  });

  it('keeps k3 exact near 0, where e^x - 1 - x cancels', () => {
    const options = { ...base, aggregation: 'token', importance: 'token', kl: 'k3' } as const;
    const near = logProbs.map((l) => l + 2 ** -10);
    const x = Float64Array.from(near, (l, i) => l - logProbs[i]);
    const expected = x.reduce((sum, d, i) => sum + (mask[i] ? d ** 2 / 2 + d ** 3 / 6 : 0), 0);
    expectClose([run(alone, options, { logProbs, old, ref: near }).metrics[1]], [expected], 1e-6);
  });

  it('ignores values at masked positions, but not a NaN elsewhere', () => {
    const options = { ...base, aggregation: 'token', importance: 'token', kl: 'k3' } as const;
    const spoil = (place: number) => logProbs.map((l, i) => (i === place ? Number.NaN : l));
    const masked = mask.indexOf(0);
    expect(run(alone, options, { logProbs: spoil(masked), old, ref })).toEqual(run(alone, options));
    expect(run(alone, options, { logProbs: spoil(mask.indexOf(1)), old, ref }).loss).toBeNaN();
  });
});
