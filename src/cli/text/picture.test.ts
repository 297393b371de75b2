import { expect, it } from 'vitest';
import { runPicture } from './picture';

const record = (stage: 'sft' | 'complete', step: number, rest: object) => ({
  seq: step,
  time: '2026-02-05T00:00:00Z',
  stage,
  phase: stage,
  step,
  loss: 1 / step,
  ...rest,
});

it('draws a band for each stage, a curve for each measure, and the table; text is escaped', () => {
  const metrics = [
    ...[1, 2, 3].map((step) => record('sft', step, {})),
    ...[1, 2, 3].map((step) => record('complete', step, { accuracy: step / 4, lengthMean: 100 - step, reward: step })),
  ];
  const rows = [
    {
      stage: 'base' as const,
      accuracy: 0.5,
      accuracyInterval: [0.4, 0.6] as [number, number],
      meanTokens: 80,
      n: 90,
      wallSeconds: 0,
    },
  ];
  const svg = runPicture({ name: 'a <b> & "c"', rows, metrics });
  expect(svg).toContain('a &#60;b&#62; &#38; &#34;c&#34;');
  expect(svg).toContain('50.0 %');
  expect(svg.match(/<rect /g)).toHaveLength(4); // Stage 2 in four panels; the baseline stands in the table only
  expect(svg.match(/<polyline /g)).toHaveLength(3); // accuracy, length and reward
  expect(svg.match(/>Stage 2</g)).toHaveLength(4);
  expect(svg).not.toContain('NaN');
});

it('draws a run that has not measured anything yet', () => {
  expect(runPicture({ name: 'new', rows: [], metrics: [] })).toContain('not measured');
});
