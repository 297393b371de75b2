import { expect, it } from 'vitest';
import { probabilityMarks } from './marks';
import { blockText } from './page';

const answer = {
  text: 'Step 1: 2 + 3\nAnswer: 5',
  tokenTexts: ['Step', ' 1:', ' 2', ' + 3\nAnswer', ':', ' 5', '<end>'],
  logProbs: [-0.1, -0.2, -2, -1, -0.1, -1.5, -3],
};
const page = (texts: string[]) =>
  [
    'Question: ?',
    '',
    ...blockText({
      number: 1,
      student: 's',
      temperature: 1,
      tokensPerSecond: 1,
      samples: texts.map((text) => ({ text, tokens: 3, done: true })),
    }),
  ].join('\n');

it('marks unlikely tokens at their position', () => {
  const text = page(['Answer: 1', answer.text]);
  const marks = probabilityMarks(text, 1, [{ text: 'Answer: 1', tokenTexts: ['Answer: 1'], logProbs: [-0.1] }, answer]);
  const lines = text.split('\n');
  expect(marks.map(({ line, start, end }) => lines[line].slice(start, end))).toEqual(['2', '+ 3', 'Answer', '5']);
  expect(marks[0].probability).toBeCloseTo(Math.exp(-2));
});

it('marks nothing in an answer that was edited or deleted', () => {
  expect(probabilityMarks(page(['Step 1: 2 + 4\nAnswer: 5']), 1, [answer])).toEqual([]);
  expect(probabilityMarks(page([]), 1, [answer])).toEqual([]);
  expect(probabilityMarks('', 1, [answer])).toEqual([]);
});
