/** Updates for tests. */
import fc from 'fast-check';
import type { RowsMessage } from '../../../src/protocol/dashboard';
import { stageNames } from '../../../src/stages';

/** One, two, many; equal, nearly equal, tiny, huge, not finite. */
export const anyNumber = fc.oneof(
  fc.double(),
  fc.double({ min: -4, max: 4 }),
  fc.constantFrom(0, -0, 5e-324, 1e-300, 1e-12, 1, 1 + 2 ** -52, -1.70113334139265, 1e15, 1e300, -1e300),
  fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const nextTo = (value: number, ulps: number) => value * (1 + ulps * 2 ** -52);
export const anyValues = fc.oneof(
  fc.array(anyNumber, { minLength: 1, maxLength: 2 }),
  fc.array(anyNumber, { minLength: 1, maxLength: 12 }),
  fc.tuple(anyNumber, fc.nat(9)).map(([value, count]) => Array<number>(count + 1).fill(value)),
  fc
    .tuple(anyNumber, fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 5 }))
    .map(([value, ulps]) => [value, ...ulps.map((n) => nextTo(value, n))]),
);
/** Possible measurements of an update: something for every chart. */
const everyMetric = [
  ...['reward', 'parts/correctness', 'accuracy', 'lengthMean', 'lengthCorrect', 'lengthWrong', 'flatGroups'],
  ...['allCorrect', 'allWrong', 'truncated', 'entropy', 'kl', 'clipLow', 'clipHigh', 'rewardStd', 'loss'],
  ...['replayLoss', 'gradNorm', 'lr', 'tokensPerSecond'],
];

/** The first updates of Stage 2, one per value; all metrics of an update have this value. */
export function updatesOf(run: string, values: readonly number[]): RowsMessage {
  return {
    type: 'rows',
    run,
    from: 0,
    phases: ['complete'],
    broken: [],
    stage: new Uint8Array(values.length).fill(stageNames.indexOf('complete')),
    phase: new Uint8Array(values.length),
    step: Uint32Array.from(values, (_, i) => i + 1),
    time: Float64Array.from(values, (_, i) => 1e12 + 1000 * i),
    values: Object.fromEntries(everyMetric.map((name) => [name, Float64Array.from(values)])),
  };
}
