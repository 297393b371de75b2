import { dispose, engine, type Scalar, tensor1d } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AdvantageScale, groupAdvantages } from '../../src/curriculum/training/advantages';
import { useBackend } from '../../src/kernels/backends';
import { grpoLoss } from '../../src/kernels/interface';
import { lossShape } from '../../src/learning/grpo-pass';
import type { LossType } from '../../src/losses';
import type { KlEstimator } from '../../src/losses/kl';
import { backends, expectClose, readFixture, tolerance } from './fixtures';

interface LossCase {
  name: string;
  lossType: Exclude<LossType, 'gspo'>;
  importance: 'token' | 'sequence';
  clipLow: number;
  clipHigh: number;
  sapoTemperature: { positive: number; negative: number };
  beta: number;
  kl: KlEstimator;
  maxLength: number;
  microBatches: number;
  lengths: number[];
  mask: number[];
  advantages: number[];
  logProbs: number[];
  oldLogProbs: number[];
  refLogProbs: number[];
  loss: number;
  gradient: number[];
  klMean: number | null;
  clipLowShare: number | null;
  clipHighShare: number | null;
}

interface AdvantageCase {
  name: string;
  scale: AdvantageScale;
  group: number;
  rewards: (number | 'NaN')[];
  advantages: number[];
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** One micro-batch: completions `first` to `first + count - 1` of a case. */
function part(one: LossCase, first: number, count: number) {
  const from = total(one.lengths.slice(0, first));
  const lengths = one.lengths.slice(first, first + count);
  const to = from + total(lengths);
  const starts = [0, ...lengths.map((_, i) => total(lengths.slice(0, i + 1)))];
  const mask = one.mask.slice(from, to);
  const shape = lossShape(one.lossType, {
    sequences: one.lengths.length,
    tokens: total(one.mask),
    microTokens: total(mask),
    microBatches: one.microBatches,
    maxNewTokens: one.maxLength,
  });
  const inputs = {
    oldLogProbs: tensor1d(one.oldLogProbs.slice(from, to)),
    refLogProbs: one.beta > 0 ? tensor1d(one.refLogProbs.slice(from, to)) : null,
    advantages: tensor1d(one.advantages.slice(first, first + count)),
    mask: tensor1d(mask, 'float32'),
    starts: tensor1d(starts, 'int32'),
  };
  const { clipLow, clipHigh, beta, kl, importance, sapoTemperature } = one;
  const sapo = { sapoPositive: sapoTemperature.positive, sapoNegative: sapoTemperature.negative };
  const options = { clipLow, clipHigh, beta, kl, ...sapo, ...shape, importance };
  return { logProbs: tensor1d(one.logProbs.slice(from, to)), inputs, options };
}

describe.each(backends)('on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(readFixture<LossCase[]>('grpo.json'))("GRPO's loss is TRL's: $name", (one) => {
    const count = one.lengths.length / one.microBatches;
    let loss = 0;
    const gradient: number[] = [];
    const metrics = [0, 0, 0, 0, 0];
    for (let i = 0; i < one.microBatches; i++) {
      const { logProbs, inputs, options } = part(one, i * count, count);
      const { value, grads } = engine().gradients(() => {
        const out = grpoLoss({ logProbs, ...inputs }, options);
        out.metrics
          .dataSync()
          .slice(0, 5)
          .forEach((sum, k) => {
            metrics[k] += sum;
          });
        return out.loss as Scalar;
      }, [logProbs]);
      loss += value.dataSync()[0];
      gradient.push(...grads[0].dataSync());
      dispose([logProbs, value, ...grads, ...Object.values(inputs).filter((tensor) => tensor !== null)]);
    }
    expect(Math.abs(loss - one.loss)).toBeLessThan(tolerance);
    expectClose(gradient, one.gradient, 'gradient');

    const [tokens, kl, low, high] = metrics;
    expect(tokens).toBe(total(one.mask));
    if (one.klMean !== null) expect(kl / tokens).toBeCloseTo(one.klMean, 5);
    const clippable = one.importance === 'sequence' ? one.lengths.length : tokens;
    if (one.clipLowShare !== null) expect(low / clippable).toBeCloseTo(one.clipLowShare, 6);
    if (one.clipHighShare !== null) expect(high / clippable).toBeCloseTo(one.clipHighShare, 6);
  });

  it.each(readFixture<AdvantageCase[]>('advantages.json'))("advantages are TRL's: $name", (one) => {
    const groups = Array.from({ length: one.rewards.length / one.group }, (_, p) =>
      one.rewards.slice(p * one.group, (p + 1) * one.group).map(Number),
    );
    const advantages = groupAdvantages(groups, one.scale).flatMap((group) => [...group]);
    expectClose(Float32Array.from(advantages), one.advantages, 'advantages');
  });
});
