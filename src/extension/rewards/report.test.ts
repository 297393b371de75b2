import { expect, it } from 'vitest';
import { rewardSchema } from '../../config/reward';
import { scoreRollouts } from '../../rewards/dry-run';
import { toScorable } from '../../rewards/recorded';
import type { RolloutRecord } from '../../runs/records';
import { rolloutRecord } from '../../runs/testing/rollout';
import { scoreReport } from './report';

const rollout = (group: number, sample: number, answer: number, length: number, reward: number): RolloutRecord => {
  const words = [
    'Thinking: well. ',
    ...Array.from({ length: length - 2 }, (_, i) => `Step ${i + 1}: so. `),
    `Answer: ${answer}`,
    '<end>',
  ];
  return rolloutRecord({
    problemId: `p${group}`,
    group,
    sample,
    tokens: words.map((_, i) => i),
    tokenTexts: words,
    reward,
    parts: { correctness: reward },
    answer: `${answer}`,
    correct: answer === 5,
    teacherTokens: 100,
  });
};
const question = { question: '?', answer: '5' };
const rescore = (components: object[], rollouts: RolloutRecord[]) =>
  scoreRollouts(
    rewardSchema().parse({ components }),
    rollouts.map((one) => toScorable(one, question)),
  );

const rollouts = [
  ...[rollout(0, 0, 5, 90, 1), rollout(0, 1, 5, 50, 1), rollout(0, 2, 6, 10, 0)],
  ...[rollout(1, 0, 6, 10, 0), rollout(1, 1, 5, 80, 1)], // flat under a reward that does not look at the answer
];

it('lists what a reward changes, with links to the completions', async () => {
  const page = scoreReport(
    'short.reward.json',
    'run 1',
    await rescore([{ use: 'correctness' }, { use: 'brevity', options: { stepBonus: 0 } }], rollouts),
  );
  const text = page.lines.join('\n');
  expect(text).toContain('short.reward.json: 5 completions, 2 groups\nrun 1\n');
  expect(text).toMatch(/correctness +0\.600 +0\.600 += +/);
  expect(text).toMatch(/brevity +0\.\d+ +– +new /);
  expect(text).toContain('▲ 1 rise in their group');
  expect(text).toMatch(/▲ rank +1\.5 → 1 +reward +1\.000 → 1\.500 +right +50 tok p0, update 3, sample 2/);
  expect(text).toMatch(/\n {6}correctness 1\.000 {3}brevity – → 0\.500\n {6}Step 1: so\./);
  for (const { line, start, end } of page.links)
    expect(page.lines[line].slice(start, end)).toMatch(/^(p\d, update 3(, sample \d)?|sample \d)$/);
  const rising = page.links.find(({ line }) => page.lines[line].startsWith('  ▲ rank'));
  expect(rising?.target).toEqual({ problemId: 'p0', stage: 'complete', step: 3, sample: 1 });
  for (const { line, start, end, tone } of page.tones)
    if (tone === 'rise' || tone === 'fall') expect(page.lines[line].slice(start, end)).toMatch(/[▲▼]/);
});

it('names the groups that become flat, and those that are flat no more', async () => {
  const flat = scoreReport(
    'r',
    '',
    await rescore([{ use: 'repetition', options: { penalty: 0 } }], rollouts),
  ).lines.join('\n');
  expect(flat).toMatch(/Groups that become flat: 2\n {2}p0, update 3 {3}all 0\.000, before 0\.000 to 1\.000/);
  const again = await rescore([{ use: 'correctness' }], [rollout(0, 0, 5, 9, 0), rollout(0, 1, 6, 9, 0)]);
  expect(scoreReport('r', '', again).lines.join('\n')).toContain('Groups no longer flat: 1');
});

it('states that no rank changes, and shows warnings', async () => {
  const { lines, heads } = scoreReport('r', 'a', await rescore([{ use: 'correctness', weight: 2 }], rollouts), [
    'line 3: odd.',
  ]);
  expect(lines.join('\n')).toContain('Every group keeps its order');
  expect(lines[2]).toBe('! line 3: odd.');
  expect(heads.map((line) => lines[line].split(':')[0])).toEqual([
    'r',
    'Mean of each component, with its weight',
    'What changes',
    'Groups',
  ]);
});
