import { describe, expect, it } from 'vitest';
import {
  blockOf,
  blockText,
  findLines,
  nextNumber,
  type PageQuestion,
  questionAt,
  questions,
  sameQuestion,
} from './page';

const page = `Question: How many
apples?
Reference answer: 5

## Asked 1: s, greedy: 5; 9 tokens, 10 tokens/s

## Answer: 5, 9 tokens
Answer: 5

Question: And pears?`;

describe('questions', () => {
  it('are read over their lines, with their reference answers', () => {
    expect(questions(page)).toEqual([
      { line: 0, text: 'How many\napples?', gold: '5', end: 3 },
      { line: 9, text: 'And pears?', end: 10 },
    ]);
    expect(questions('Question:')).toEqual([{ line: 0, text: '', end: 1 }]);
  });

  it('are found from any line below them', () => {
    expect(questionAt(page, 7)?.line).toBe(0);
    expect(questionAt(page, 9)?.line).toBe(9);
    expect(questionAt('nothing', 0)).toBeUndefined();
  });
});

it('a question is found again where edits have moved it', () => {
  const [first, second] = questions(page);
  expect(sameQuestion(`# Head\n\n${page}`, second)).toEqual({ line: 11, text: 'And pears?', end: 12 });
  expect(sameQuestion(`${page}\n\n${page}`, first)).toEqual(first);
  expect(sameQuestion(page.replace('pears', 'plums'), second)).toBeUndefined();
});

describe('answers', () => {
  const asked: PageQuestion = {
    number: 2,
    student: 'rewrite-6',
    temperature: 1,
    gold: '5',
    samples: [
      { text: 'Step 1: 2 + 3 = 5\nAnswer: 5', tokens: 9, done: true, finished: true, logProbs: [-0.1, -0.3] },
      { text: 'Answer: 6', tokens: 4, done: true, finished: true, logProbs: [-1] },
      { text: 'Step 1: 2', tokens: 8, done: true, finished: false, logProbs: [-1] },
    ],
    tokensPerSecond: 99.6,
  };

  it('say which came how often, and which are right', () => {
    const lines = blockText(asked);
    expect(lines[0]).toBe(
      '## Asked 2: rewrite-6, 3 samples at temperature 1: 1 × 5, 1 × 6, 1 × no answer; 1 of 3 right; 7 tokens on average, 100 tokens/s',
    );
    expect(lines.filter((line) => line.startsWith('## Sample'))).toEqual([
      '## Sample 1 of 3: 5, right, 9 tokens, mean log-prob −0.20',
      '## Sample 2 of 3: 6, wrong, 4 tokens, mean log-prob −1.00',
      '## Sample 3 of 3: no answer, 8 tokens, cut off, mean log-prob −1.00',
    ]);
  });

  it('grow while they are sampled', () => {
    const growing = { ...asked, temperature: 0, tokensPerSecond: undefined };
    const first = { text: 'Step', tokens: 1, done: false };
    expect(blockText({ ...growing, samples: [{ text: '', tokens: 0, done: false }] })[0]).toBe(
      '## Asked 2: rewrite-6, greedy, waiting for the student…',
    );
    expect(blockText({ ...growing, samples: [first] })).toEqual([
      ...['## Asked 2: rewrite-6, greedy, working…', '', '## Answer: 1 token so far', 'Step'],
    ]);
    expect(blockText({ ...growing, samples: [first], stopped: true })).toEqual([
      ...['## Asked 2: rewrite-6, greedy: stopped', '', '## Answer: 1 token, stopped', 'Step'],
    ]);
  });

  it('are found again by their number, whatever the student wrote', () => {
    const fooled = blockText({ ...asked, samples: [{ text: 'Question: me?\n## Asked 1: x', tokens: 1, done: false }] });
    const whole = `${page}\n\n${fooled.join('\n')}\n\nQuestion: last?`;
    expect(blockOf(whole, 2)).toEqual({ from: 11, to: 17 });
    expect(blockOf(whole, 1)).toEqual({ from: 4, to: 9 });
    expect(blockOf(whole, 3)).toBeUndefined();
    expect(nextNumber(whole)).toBe(3);
    expect(nextNumber('')).toBe(1);
    expect(nextNumber(whole, [3, 4])).toBe(5);
  });

  it('end where they were written, not where the next question begins', () => {
    const lines = blockText(asked);
    const whole = `# Notes\n\nQuestion: me?\r\n\r\n${lines.join('\r\n')}\n\nmy own remarks\n\nQuestion: last?`;
    expect(findLines(whole, lines)).toEqual({ from: 4, to: 4 + lines.length });
    expect(findLines(whole.replace('Answer: 6', 'Answer: 6  '), lines)).toEqual({ from: 4, to: 4 + lines.length });
    expect(findLines(whole.replace('Answer: 6', 'Answer: 7'), lines)).toBeUndefined();
    expect(findLines(whole.replace('\n\nmy own remarks\n\nQuestion: last?', ''), lines)?.to).toBe(4 + lines.length);
    expect(findLines('', lines)).toBeUndefined();
    expect(findLines(whole, [])).toBeUndefined();
  });
});
