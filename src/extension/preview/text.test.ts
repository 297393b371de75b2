import { expect, it } from 'vitest';
import { resolveExperiment } from '../../config/load';
import { previewText } from './text';

const arithmetic = { format: 'arithmetic', seed: 1, count: 5 } as const;
const experiment = (stages: object) =>
  resolveExperiment({ name: 'x', student: { path: 's' }, data: { train: arithmetic, test: arithmetic }, stages }, '/');

const problem = {
  id: 'p1',
  question: 'How many?',
  answer: '9',
  chain: 'Step 1: 1 + 1 = 2\nStep 2: 2 + 3 = 5\nStep 3: 5 + 4 = 9',
};
const shown = { problem, number: 3, of: 5, drawn: 0 };
const masking = {
  reconstruct: { maskProbability: 1 },
  complete: { maskSchedule: [0.5, 1], updates: 10 },
  rewrite: false,
};

it('shows prompt and target of every stage, with the number of each step', () => {
  const { lines, steps, measured } = previewText(experiment(masking), shown);
  const text = lines.join('\n');
  expect(text).toMatch(/^## Problem 3 of 5: p1, teacher's chain of 3 steps\nQuestion: How many\?\n/);
  expect(text).toContain('\nQuestion: How many?\nReference answer: 9\n');
  expect(text).toContain('## Stage 1 (Reconstruct): target\nStep 1: 1 + 1 = 2\n');
  expect(text).toContain(
    '## Stage 2 (Complete): prompt\n(50 % masked, updates 1 to 5)\nQuestion: How many?\nSteps, some missing:\n- ',
  );
  expect(text).toContain(
    '(the plain question, updates 6 to 10)\nQuestion: How many?\nSolution:\n(here the student continues; the reward default scores it)\n',
  );
  expect(text).toContain('## Stage 3 (Rewrite): off');
  expect(measured).toHaveLength(5);
  const contents = ['1 + 1 = 2', '2 + 3 = 5', '5 + 4 = 9'];
  for (const { line, step, masked } of steps) expect(lines[line]).toBe(`- ${masked ? '[MASK]' : contents[step - 1]}`);
  const first = steps.slice(0, 3);
  expect(first.map(({ step }) => step).sort()).toEqual([1, 2, 3]);
  expect(first.map(({ step }) => step)).not.toEqual([1, 2, 3]);
  expect(first.filter(({ masked }) => masked)).toHaveLength(1);
  expect(steps).toHaveLength(6);
});

it('shows counted lengths, and redraws on request', () => {
  const asked = previewText(experiment(masking), shown).measured;
  const whole = (text: string) => `<|user|>Be brief.\n- so\n${text.trimEnd()}<|assistant|><think>\n`;
  const given = asked.map((one, i) => ({ tokens: 11 * (i + 1), whole: one.asked ? whole(one.text) : one.text }));
  const view = previewText(experiment(masking), { ...shown, counted: given, lengths: [30, 40, 50, 200] });
  const counted = view.lines.join('\n');
  expect(counted).toContain(')\n<|user|>Be brief.\n- so\nQuestion: How many?\n');
  expect(counted).toContain('Solution:<|assistant|><think>\n');
  // The thinking that the prompt opens is closed in the target; the list of the system message has no steps.
  expect(counted).toContain('(Reconstruct): target, 33 tokens\n\n</think>\n\nStep 1: 1 + 1 = 2\n');
  for (const { line } of view.steps) expect(view.lines[line]).not.toBe('- so');
  expect(counted).toMatch(/## Lengths of 4 teacher chains, in tokens\n[\s\S]*█ 1\n.*Budgets: 50 % fit in 48, /);
  expect(counted).toMatch(/chain of 3 steps, 11 tokens\n/);
  expect(counted).toMatch(/Reconstruct\): target, 33 tokens\n/);
  const drawings = [0, 1, 2, 3, 4, 5].map((drawn) =>
    previewText(experiment(masking), { ...shown, drawn })
      .steps.map(({ step }) => step)
      .join(),
  );
  expect(new Set(drawings).size).toBeGreaterThan(1);
});

it('states why a stage skips a problem', () => {
  const { lines } = previewText(experiment({}), { ...shown, problem: { ...problem, chain: undefined } });
  expect(lines.join('\n')).toContain("## Stage 1 (Reconstruct): does not use this problem\nIt has no teacher's chain.");
});

it('shows the chain as Stage 1 cuts it, and whole to Stage 3', () => {
  const chain = 'Step 1: Let us begin. 1 + 1 = 2. That was easy.\nStep 2: So we go on.\nStep 3: 2 + 3 = 5.\nAnswer: 5';
  const stages = { reconstruct: { chains: 'concise', maskProbability: 0, shuffleProbability: 0 }, complete: false };
  const { lines } = previewText(experiment(stages), { ...shown, problem: { ...problem, chain } });
  const text = lines.join('\n');
  expect(text).toContain('(the chain cut to the sentences that compute, 1 masked with p 0, ');
  expect(text).toContain('\n- 1 + 1 = 2.\n- 2 + 3 = 5.\n');
  expect(text).toContain('(Reconstruct): target\nStep 1: 1 + 1 = 2.\nStep 2: 2 + 3 = 5.\nAnswer: 5\n');
  expect(text.slice(text.indexOf('## Stage 3'))).toContain('Let us begin. 1 + 1 = 2. That was easy.');
});
