import { expect, it } from 'vitest';
import { preset } from '../config/presets';
import { rewardSchema } from '../config/reward';
import { type RecordedCompletion, scoreRollouts } from './dry-run';

const record = (problemId: string, answer: number, length: number, reward: number | null): RecordedCompletion => ({
  problemId,
  problem: { question: '?', answer: '5', teacherTokens: 100 },
  completion: { text: `Step 1: hm\nAnswer: ${answer}`, tokens: Array.from({ length }, (_, i) => i), finished: true },
  reward,
  parts: { correctness: reward },
});

it('shows what rises and falls within its group', async () => {
  const brief = rewardSchema().parse({ components: [{ use: 'correctness' }, { use: 'brevity' }] });
  const records = [
    record('a', 5, 90, 1),
    record('b', 5, 10, 1),
    record('a', 5, 20, 1),
    record('a', 6, 5, 0),
    record('b', 5, 10, null),
  ];
  const rescored = await scoreRollouts(brief, records);
  const moved = rescored.map(({ record: { problemId }, oldRank, newRank, movement }) => [
    problemId,
    oldRank,
    newRank,
    movement,
  ]);
  expect(moved).toEqual([
    ['a', 1.5, 2, 'falls'],
    ['b', 1, 1, 'stays'],
    ['a', 1.5, 1, 'rises'],
    ['a', 3, 3, 'stays'],
    ['b', null, null, 'unscored'],
  ]);
  expect(rescored[2]).toMatchObject({
    record: records[2],
    old: { total: 1, parts: { correctness: 1 } },
    new: { total: 1.8, parts: { correctness: 1, brevity: 0.8 }, failures: {} },
  });
});

it('keeps the groups of different updates apart, for rewards that depend on the group', async () => {
  const kimi = rewardSchema().parse({ components: [{ use: 'kimi' }] });
  const at = (step: number, length: number) => ({ ...record('a', 5, length, 0), step, group: 0 });
  const rescored = await scoreRollouts(kimi, [at(1, 100), at(1, 200), at(2, 100)]);
  const totals = rescored.map((one) => one.new.total);
  expect(totals).toEqual([0.5, -0.5, 0]);
});

it('finds nothing moved under the reward that was used', async () => {
  const records = [record('a', 5, 90, null), record('a', 6, 10, null)];
  const first = await scoreRollouts(preset('default'), records);
  const again = await scoreRollouts(
    preset('default'),
    records.map((one, i) => ({ ...one, reward: first[i].new.total })),
  );
  expect(again.map(({ movement }) => movement)).toEqual(['stays', 'stays']);
});
