import { expect, it } from 'vitest';
import { rewardSchema } from '../config/reward';
import { type RecordedCompletion, scoreRollouts } from './dry-run';
import { summariseScores } from './summary';

const record = (group: number, answer: number, length: number, reward: number): RecordedCompletion => ({
  problemId: `p${group}`,
  step: 1,
  group,
  problem: { question: '?', answer: '5', teacherTokens: 100 },
  completion: { text: `Answer: ${answer}`, tokens: Array.from({ length }, (_, i) => i), finished: true },
  reward,
  parts: { correctness: reward },
});

it('summarises what a reward changes, by group', async () => {
  const short = rewardSchema().parse({
    components: [{ use: 'correctness' }, { use: 'brevity', options: { stepBonus: 0 } }],
  });
  const summary = summariseScores(
    await scoreRollouts(short, [
      record(0, 5, 90, 1), // equal to the next before, ranked after it now
      record(0, 5, 50, 1),
      record(0, 6, 10, 0),
      record(1, 6, 10, 0), // wrong, both: flat before and after
      record(1, 6, 80, 0),
    ]),
  );
  expect(summary).toMatchObject({
    count: 5,
    groups: 2,
    total: {
      before: { applies: 1, mean: 2 / 5, min: 0, max: 1 },
      after: { applies: 1, mean: (1.1 + 1.5) / 5, min: 0, max: 1.5 },
    },
    flatGroups: { before: 1 / 2, after: 1 / 2 },
    newBest: 0,
    movement: { rises: 1, falls: 1, stays: 3, unscored: 0 },
    parts: { correctness: { before: { mean: 2 / 5 } }, brevity: { before: null, after: { applies: 2 / 5 } } },
    failures: {},
  });
});

it('sees a new best completion', async () => {
  const wrong = rewardSchema().parse({ components: [{ use: 'correctness', weight: -1 }] });
  const summary = summariseScores(await scoreRollouts(wrong, [record(0, 5, 10, 1), record(0, 6, 10, 0)]));
  expect(summary).toMatchObject({ newBest: 1, movement: { rises: 1, falls: 1 }, flatGroups: { before: 0, after: 0 } });
});
