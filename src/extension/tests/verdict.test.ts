import { describe, expect, it } from 'vitest';
import { outputOf, verdictOf } from './verdict';

const problem = {
  id: 'p1',
  question: '6 boxes of 4, less 5?',
  answer: '19',
  chain: 'Step 1: 6 * 4 = 24\nStep 2: 24 - 5 = 19\nAnswer: 19',
};
const answered = (text: string, answer: string | null, more = {}) => ({
  problemId: 'p1',
  text,
  answer,
  correct: answer === '19',
  lenientCorrect: false,
  finished: true,
  tokens: 12,
  gold: '19',
  ...more,
});

describe('an answer', () => {
  it('that is right passes, with its length beside it', () => {
    expect(verdictOf(problem, answered('Step 1: 24 - 5 = 19\nAnswer: 19', '19'))).toMatchObject({
      passed: true,
      message: '',
      description: '12 tokens',
    });
  });

  it.each([
    [
      'Step 1: 6 * 4 = 26\nStep 2: 26 - 5 = 21\nAnswer: 21',
      '21',
      {},
      '21, not 19. Step 1: 6 * 4 is 24, not 26.',
      '21, not 19 · 12 tokens',
    ],
    [
      'Step 1: 6 + 4 = 10\nAnswer: 10',
      '10',
      {},
      "10, not 19. Departs from the teacher at step 1: 10 does not occur in the teacher's chain.",
      '10, not 19 · 12 tokens',
    ],
    ['Hm.', null, {}, 'No answer; 19 is right.', 'no answer; 19 is right · 12 tokens'],
    [
      'Hm, hm',
      null,
      { finished: false },
      'Cut off before an answer; 19 is right.',
      'cut off before an answer; 19 is right · 12 tokens',
    ],
    [
      '19',
      null,
      { lenientCorrect: true },
      'No answer; 19 is right. The right number is there, but on no answer line.',
      'no answer; 19 is right · 12 tokens',
    ],
  ])('%j is a failure that says why', (text, answer, more, message, description) => {
    const verdict = verdictOf(problem, answered(text, answer, more));
    expect(verdict).toMatchObject({ passed: false, message, description, actual: text });
    expect(verdict.expected).toBe('Step 1: 6 * 4 = 24\nStep 2: 24 - 5 = 19\nAnswer: 19');
  });

  it('is compared with the bare answer where no teacher is known', () => {
    expect(verdictOf({ ...problem, chain: undefined }, answered('Answer: 3', '3')).expected).toBe('Answer: 19');
  });
});

it('shows the chain in the output', () => {
  const evaluated = answered('Step 1: gone\nAnswer: 3', '3');
  const text = outputOf(problem, evaluated, verdictOf(problem, evaluated));
  expect(text).toContain('p1: 6 boxes of 4, less 5?\nStep 1: gone\nAnswer: 3\n=> 3, not 19.');
});
