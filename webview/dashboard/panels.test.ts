import { describe, expect, it } from 'vitest';
import { layOut } from './axis';
import { chartMarks } from './marks';
import { panelsOf, tickText, valueText } from './metrics';
import type { DashboardModel } from './model';
import { resultsCsv } from './results-csv';
import { all, steps, track } from './testing/tracks';

describe('panels', () => {
  const rows = steps('complete', 2, 0, () => ({
    loss: 0,
    reward: 1,
    lengthMean: 5,
    lengthWrong: 6,
    'parts/brevity': 0.5,
  }));
  it('are those that were measured; with several runs, a panel a line', () => {
    const one = panelsOf([track('a', rows)]);
    expect(one.map(({ id, metrics }) => [id, metrics.map(({ key }) => key)])).toEqual([
      ['reward', ['reward']],
      ['parts', ['parts/brevity']],
      ['length', ['lengthMean', 'lengthWrong']],
      ['policyLoss', ['policyLoss']],
    ]);
    const two = panelsOf([track('a', rows), track('b', steps('sft', 1))]);
    expect(two.map(({ id, title }) => [id, title])).toEqual([
      ['reward', 'Reward'],
      ['parts/brevity', 'Reward part: brevity'],
      ['lengthMean', 'Length'],
      ['lengthWrong', 'Length when wrong'],
      ['crossEntropy', 'Cross-entropy'],
      ['policyLoss', 'Policy loss'],
    ]);
  });
});

it('marks show checks and tests at their update; a check has its measurements', () => {
  const made = track('a', [...steps('reconstruct', 4), ...steps('complete', 4, 10)]);
  const head = {
    folder: '/r',
    id: 'a',
    name: 'a',
    state: 'finished' as const,
    alerts: [],
    problems: [],
    results: [],
    unchanged: [],
    validation: [
      { stage: 'reconstruct' as const, step: 2, loss: 0.7 },
      { stage: 'complete' as const, step: 4, accuracy: 0.5, meanTokens: 60 },
    ],
  };
  const tracks = [made];
  const model = { heads: [head], tracks, layout: layOut(tracks, 'updates', all) } as unknown as DashboardModel;
  const at = (panel: string) => chartMarks(model, panel).map(({ x, value }) => [x, value]);
  expect(at('crossEntropy')).toEqual([[2, 0.7]]);
  expect(at('accuracy')).toEqual([[8, 0.5]]);
  expect(at('length')).toEqual([[8, 60]]);
  expect(at('gradNorm')).toEqual([]);
});

it('results as CSV have a line a student, with differences where they were computed', () => {
  const result = {
    stage: 'sft' as const,
    accuracy: 0.5,
    accuracyInterval: [0.4, 0.6] as [number, number],
    meanTokens: 12,
    n: 9,
    wallSeconds: 3,
  };
  const head = {
    folder: '/r',
    id: 'a, b',
    name: 'a',
    state: 'finished' as const,
    validation: [],
    alerts: [],
    problems: [],
    results: [result, { ...result, stage: 'rewrite' as const, checkpoint: 'rewrite-7' }],
    unchanged: [],
  };
  const pair = {
    run: '/r',
    stage: 'rewrite' as const,
    against: 'base' as const,
    n: 9,
    accuracy: 0.1,
    tokens: -2,
    accuracyInterval: [0, 0.2] as [number, number],
    tokensInterval: [-3, -1] as [number, number],
  };
  const lines = resultsCsv([head], [pair]).split('\r\n');
  const width = lines[0].split(',').length;
  expect(lines[1]).toBe('"a, b",sft,,9,0.5,0.4,0.6,12,,3,,,,,,,,,,,,,,,,,,');
  expect(lines[2]).toBe('"a, b",rewrite,rewrite-7,9,0.5,0.4,0.6,12,,3,0.1,0,0.2,-2,-3,-1,,,,,,,,,,,,');
  expect(lines[2].split(',').length - 1).toBe(width);
  const start = { run: '20260204-120000-sums', checkpoint: 'complete-220' };
  const begun = resultsCsv([{ ...head, start, results: [{ ...result, stage: 'base' }] }], []).split('\r\n');
  expect(begun[1]).toMatch(/^"a, b",start,20260204-120000-sums\/complete-220,9,/);
  expect(begun[0]).toMatch(/,accuracy_vs_start,/);
});

it('values are written for people', () => {
  expect([0.7135, -0.02].map((value) => valueText(value, 'share'))).toEqual(['71.4 %', '−2.0 %']);
  expect([3.2e-7, 0.01234, 1.5, 2048, 0].map((value) => valueText(value, 'number'))).toEqual([
    '3.2e−7',
    '0.0123',
    '1.50',
    '2048',
    '0',
  ]);
  expect(valueText(undefined, 'number')).toBe('–');
  expect(valueText(Number.NEGATIVE_INFINITY, 'number')).toBe('−Infinity');
  expect([0.25, 0.5].map((value) => tickText(value, 'share', 0.25))).toEqual(['25%', '50%']);
  expect([0.001, 0].map((value) => tickText(value, 'share', 0.0005))).toEqual(['0.10%', '0%']);
  expect([0.025, 0.05, 0.1].map((value) => tickText(value, 'share', 0.025))).toEqual(['2.5%', '5.0%', '10.0%']);
  expect([25_000, 500].map((value) => tickText(value, 'number', 500))).toEqual(['25.0k', '500']);
  expect([5.5591, 5.5592, -0.5].map((value) => tickText(value, 'number', 0.0001))).toEqual([
    '5.5591',
    '5.5592',
    '−0.5000',
  ]);
  expect([2e-5, 0].map((value) => tickText(value, 'number', 1e-5))).toEqual(['2e−5', '0']);
});
