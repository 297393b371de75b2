import { describe, expect, it } from 'vitest';
import { matches, type Outcomes, type StageOutcome } from '../../bench/curriculum-runs';
import { averaged, gainTable, intervalNote, resultOf, studentTable } from '../../bench/curriculum-tables';
import { mean, pairedInterval } from '../../src/statistics';

function outcome(right: number[], tokens: number): StageOutcome {
  return {
    accuracy: mean(right),
    meanTokens: tokens,
    truncated: 0.25,
    seconds: 60,
    right,
    tokens: right.map(() => tokens),
  };
}

/** Right on the problems below `right` of 40. */
const upTo = (right: number, tokens: number) =>
  outcome(
    Array.from({ length: 40 }, (_, i) => Number(i < right)),
    tokens,
  );

const run = (sft: number, concise: number, last: number): Outcomes =>
  new Map([
    ['base', upTo(10, 200)],
    ['sft', upTo(sft, 220)],
    ['sftConcise', upTo(concise, 60)],
    ['rewrite', upTo(last, 100)],
  ]);

const runs = [run(20, 30, 28), run(22, 30, 32)];
const result = resultOf('small', { concise: 0.15, seed: 2 }, runs);

describe('the table of a base student', () => {
  it('compares each student with the base, with plain SFT and with the strongest baseline', () => {
    expect(result.strongest).toBe('sftConcise');
    const last = result.stages.find(({ stage }) => stage === 'rewrite')!;
    expect(last.differences.map(({ against, points }) => [against, points])).toEqual([
      ['base', 50],
      ['sft', expect.closeTo(22.5, 9)],
      ['sftConcise', 0],
    ]);
    expect(last.differences[2].tokens).toBeCloseTo(100 * (100 / 60 - 1), 9);
    const lines = studentTable(result).split('\n');
    expect(lines[0]).toBe(
      '| student | accuracy | tokens | cut off | vs base | vs Plain SFT | vs Concise SFT (strongest baseline) | time |',
    );
    expect(lines[2]).toBe('| Base student | 25.0 % ± 0.0 | 200.0 ± 0.0 | 25.0 % |  |  |  | 60 s |');
    expect(lines[4]).toMatch(/^\| Concise SFT \(strongest baseline\) \| 75\.0 % ± 0\.0 /);
    expect(lines[5]).toMatch(
      /^\| Stage 3 \(Rewrite\) \| 75\.0 % ± 7\.1 .*\| \+0\.0 \(−\d+\.\d \.\. \+\d+\.\d\), \+66\.7 % \| 60 s \|$/,
    );
  });

  it('counts the answers of the base once, however many seeds there are', () => {
    const same = resultOf('small', {}, [runs[0], runs[0], runs[0]]);
    const right = (stage: 'base' | 'rewrite') => runs[0].get(stage)!.right;
    const [low, high] = pairedInterval([right('rewrite').map((value, i) => value - right('base')[i])]);
    const { pointsInterval } = same.stages.at(-1)!.differences[0];
    expect(pointsInterval[0]).toBeCloseTo(100 * low, 9);
    expect(pointsInterval[1]).toBeCloseTo(100 * high, 9);
  });

  it('says when there are few runs', () => {
    expect(intervalNote(1, 'seed')).toContain('One seed: the interval does not cover');
    expect(intervalNote(3, 'seed')).toContain('3 seeds are fewer than 5');
    expect(intervalNote(5, 'seed')).not.toContain('fewer');
  });
});

describe('several base students', () => {
  it('count each as one run, the mean of its seeds', () => {
    const overall = resultOf('all', {}, [averaged(runs), averaged([run(12, 14, 20)])]);
    expect(overall.stages.at(-1)!.accuracy).toEqual([0.75, 0.5]);
    expect(overall.stages.at(-1)!.differences[0].points).toBeCloseTo(37.5, 9);
  });

  it('are ordered by the share of concise text in their pretraining', () => {
    const other = resultOf('large', { concise: 0.05 }, [run(12, 14, 20)]);
    const lines = gainTable([result, other]).split('\n');
    expect(lines[2]).toMatch(
      /^\| 5 % \| large \| 25\.0 %, 200\.0 tokens \| Concise SFT: 35\.0 %, 60\.0 tokens \| 50\.0 %/,
    );
    expect(lines[3]).toMatch(/^\| 15 % \| small \(pretraining seed 2\) \|/);
  });
});

it('a run is recognized by its settings, whatever "auto" chose', () => {
  const asked = { stages: { complete: { updates: 3, microBatchTokens: 'auto' } }, list: [1, 2] };
  const recorded = { stages: { complete: { updates: 3, microBatchTokens: 8192 } }, list: [1, 2] };
  expect(matches(asked, recorded)).toBe(true);
  expect(matches({ ...asked, list: [1] }, recorded)).toBe(false);
  expect(matches({ ...asked, more: 1 }, recorded)).toBe(false);
  expect(matches(asked, { ...recorded, more: 1 })).toBe(false);
});
