import { expect, it } from 'vitest';
import { splitChain } from '../chain/split';
import { taughtProblems, thinkingIn } from './taught';

const solution = 'Step 1: 6 * 7 = 42\nAnswer: 42';
const problem = (chain?: string) => ({ id: 'p', question: 'How many?', answer: '42', ...(chain && { chain }) });
const cut = (chain?: string) =>
  taughtProblems([problem(chain)], { otherAnswers: 'drop', thinking: 'cut' }).at(0)?.chain;

it('takes the thinking off, in whatever form, and leaves the solution as it is written', () => {
  expect(cut(`<think>\nMaybe \\boxed{41}? No.\n</think>\n\n${solution}`)).toBe(solution);
  expect(cut(`Maybe 41? No.\n</think>\n${solution}`)).toBe(solution);
  expect(cut(`Thinking: maybe 41? No.\n${solution}`)).toBe(solution);
  expect(cut(`**Thinking…**\nmaybe 41?\n\n## Step 1: 6 * 7 = 42\n\nAnswer: 42`)).toBe(
    '## Step 1: 6 * 7 = 42\n\nAnswer: 42',
  );
});

it('removes only thinking, and leaves no chain empty', () => {
  for (const chain of [solution, `Let x be the price.\n${solution}`, 'Thinking: 6 * 7 = 42, so it is 42.'])
    expect(cut(chain)).toBe(chain);
  expect(cut('<think>\n6 * 7 = 42\n</think>')).toBe('<think>\n6 * 7 = 42\n</think>');
  expect(cut()).toBeUndefined();
  const kept = `<think>\nHm.\n</think>\n${solution}`;
  expect(taughtProblems([problem(kept)], { otherAnswers: 'drop', thinking: 'keep' }).at(0)?.chain).toBe(kept);
});

it('counts the chains that have some', () => {
  const problems = [problem(`<think>\nHm.\n</think>\n${solution}`), problem(solution), problem()];
  expect(thinkingIn(problems)).toEqual({ chains: 2, thinking: 1, bare: 0 });
});

it('takes the thinking for the solution where nothing but the answer follows it', () => {
  const chain = '<think>\n6 bags of 7 are 6 * 7 = 42 pears.\n</think>\n<answer>42</answer>';
  expect(splitChain(cut(chain)!)).toEqual({ thinking: '', steps: ['6 bags of 7 are 6 * 7 = 42 pears.'], answer: '42' });
  expect(thinkingIn([problem(chain)])).toEqual({ chains: 1, thinking: 1, bare: 1 });
  for (const said of ['**42**', 'There are 42 pears.'])
    expect(thinkingIn([problem(`<think>\n6 bags of 7 are 6 * 7 = 42 pears.\n</think>\n${said}`)]).bare).toBe(1);
});
