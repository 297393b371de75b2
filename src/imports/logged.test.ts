import { describe, expect, it } from 'vitest';
import { loggedOf } from './columns';
import { completionText, lastQuestion, messagesOf, textOfMessages } from './conversation';
import { type LoggedCompletion, problemIdOf, questionOf } from './logged';
import { parsePython } from './rows';
import { fits } from './weights';

describe('the question in a prompt', () => {
  it.each([
    ['Question: 2 + 2?\nSolution:', '2 + 2?'],
    ['Solve it.\nProblem: a\nb\nAnswer:', 'a\nb'],
    ['<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n2 + 2?<|im_end|>\n<|im_start|>assistant\n', '2 + 2?'],
    ['system\nBe brief.\nuser\n1?\nassistant\n1\nuser\n2 + 2?\nassistant\n', '2 + 2?'],
    [
      '<|start_header_id|>user<|end_header_id|>\n\n2 + 2?<|eot_id|><|start_header_id|>assistant<|end_header_id|>',
      '2 + 2?',
    ],
    ['<s>[INST] 2 + 2? [/INST]', '2 + 2?'],
    [' plain ', 'plain'],
  ])('%j', (prompt, question) => expect(questionOf(prompt)).toBe(question));
});

it('conversations are texts, with who speaks where several do', () => {
  const messages = messagesOf([
    { role: 'user', content: [{ type: 'text', text: 'Look' }, { type: 'image' }] },
    { role: 'assistant', content: 'It is', reasoning_content: 'a cat?' },
    { role: 'tool', content: '4' },
  ])!;
  expect(textOfMessages(messages)).toBe(
    'user: Look[image]\n\nassistant: <think>\na cat?\n</think>\n\nIt is\n\ntool: 4',
  );
  expect(completionText(messages.slice(1, 2))).toBe('<think>\na cat?\n</think>\n\nIt is');
  expect(lastQuestion(messages)).toBe('Look[image]');
  expect(messagesOf('text')).toBeUndefined();
  expect(messagesOf([{ text: 'no role' }])).toBeUndefined();
});

it('reads JSON as Python writes it, and leaves texts alone', () => {
  expect(parsePython('{"a": NaN, "b": [-Infinity, "NaN \\" Infinity"]}', { file: 'x' })).toEqual({
    a: 'NaN',
    b: ['-Infinity', 'NaN " Infinity'],
  });
});

it('columns: numbers are parts, counters and texts are not, verdicts by column or by name', () => {
  const place = { file: 'x', line: 1 };
  const row = { input: 'q', output: 'a', gts: ['5'], score: 1, acc: false, idx: 3, note: 'x', length: 7, ok: true };
  expect(loggedOf(row, place)).toMatchObject({ gold: '5', reward: 1, correct: false, parts: { length: 7, ok: 1 } });
  const trl = {
    prompt: 'q',
    completion: 'a',
    correctness_reward: 0.5,
    solution: 'long \\boxed{12}',
    advantage: Number.NaN,
  };
  expect(loggedOf(trl, place)).toMatchObject({ gold: '12', correct: true, parts: { correctness_reward: 0.5 } });
  expect(loggedOf(trl, place).advantage).toBeUndefined();
});

it('weights follow from the advantages of a group', () => {
  const rows = (weight: number): LoggedCompletion[] =>
    [
      [1, 0.2],
      [0, 0.9],
      [1, 0.6],
      [0, 0.1],
    ].map(([right, short]) => ({
      place: { file: 'x' },
      prompt: 'p',
      question: 'p',
      text: '',
      step: 1,
      parts: { right, short },
      advantage: 3 * (right + weight * short) - 2,
    }));
  expect(fits(rows(1), {})).toBe(true);
  expect(fits(rows(0.2), {})).toBe(false);
  expect(fits(rows(0.2), { short: 0.2 })).toBe(true);
  expect(
    fits(
      rows(1).map((row) => ({ ...row, advantage: 0 })),
      {},
    ),
  ).toBe(false);
  expect(fits([], {})).toBe(true);
});

it('a problem is its id, or else its prompt', () => {
  expect(problemIdOf({ id: 'q1', prompt: 'x' })).toBe('q1');
  expect(problemIdOf({ prompt: 'x' })).toMatch(/^[0-9a-f]{12}$/);
  expect(problemIdOf({ prompt: 'x' })).not.toBe(problemIdOf({ prompt: 'y' }));
});
