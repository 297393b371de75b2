import { tensor1d } from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import type { Episode } from '../../engine-data/examples';
import { useBackend } from '../../kernels/backends';
import { grpoLoss } from '../../kernels/interface';
import { gradientsOf } from '../../kernels/tape';
import { surrogateNames } from '../../losses';
import type { GrpoLossOptions } from '../../losses/token-gradient';
import { Random } from '../../random';
import { episodesGradient } from './token-gradient';

beforeAll(async () => {
  await useBackend('embedded-wasm');
});

const random = new Random(3);
const around = (value: number) => value + 0.8 * (random.uniform() - 0.5);
const episodes = [5, 1, 8, 3].map((length, i): Episode => {
  const logProbs = Float32Array.from({ length }, () => around(-1));
  return {
    prompt: [1],
    completion: Array(length).fill(2),
    logProbs,
    advantage: [1.2, -0.7, -1.1, 0.4][i],
    masked: i === 3,
  };
});
const moved = episodes.map(({ logProbs }) => logProbs.map(around));
const reference = episodes.map(({ logProbs }) => logProbs.map(around));
const flat = (rows: readonly Float32Array[]) => tensor1d(rows.flatMap((row) => [...row]));

const cases = surrogateNames.flatMap((surrogate) =>
  (['token', 'sequence'] as const).flatMap((aggregation) =>
    (['token', 'sequence'] as const).flatMap((importance) =>
      (['k1', 'k2', 'k3', 'k3+'] as const).map((kl) => ({ surrogate, aggregation, importance, kl })),
    ),
  ),
);

it.each(cases)('loss, slopes and sums are those of the kernel: %j', (shape) => {
  const options: GrpoLossOptions = {
    ...shape,
    clipLow: 0.1,
    clipHigh: 0.15,
    sapoPositive: 1,
    sapoNegative: 1.05,
    beta: 0.07,
    normalizer: 3.5,
  };
  let offset = 0;
  const starts = [0, ...episodes.map(({ completion }) => (offset += completion.length))];
  const mask = episodes.map(({ masked, completion }) => new Float32Array(completion.length).fill(Number(!masked)));
  const logProbs = flat(moved);
  let sums: number[] = [];
  const { value, grads } = gradientsOf(() => {
    const { loss, metrics } = grpoLoss(
      {
        logProbs,
        oldLogProbs: flat(episodes.map((one) => one.logProbs)),
        refLogProbs: flat(reference),
        advantages: tensor1d(episodes.map(({ advantage }) => advantage)),
        mask: flat(mask),
        starts: tensor1d(Int32Array.from(starts), 'int32'),
      },
      options,
    );
    sums = Array.from(metrics.dataSync());
    return loss;
  }, [logProbs]);

  const { loss, slopes, metrics } = episodesGradient(episodes, moved, reference, options);
  expect(loss).toBeCloseTo(value.dataSync()[0], 5);
  const expected = Array.from(grads[0].dataSync());
  for (const [i, slope] of slopes.flatMap((row) => [...row]).entries()) expect(slope).toBeCloseTo(expected[i], 5);
  const { tokens, kl, clippedLow, clippedHigh, ratio } = metrics;
  for (const [i, sum] of [tokens, kl, clippedLow, clippedHigh, ratio].entries()) expect(sum).toBeCloseTo(sums[i], 4);
});
