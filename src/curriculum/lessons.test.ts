import { expect, test } from 'vitest';
import type { Tokenizer } from '../student-files/tokenizer';
import { prepareLessons } from './lessons';

/** A token a code unit, and a count of the texts that were encoded. */
function counting() {
  const counts = { texts: 0 };
  const encode = (text: string) => {
    counts.texts++;
    return Array.from(text, (_, i) => i);
  };
  return { counts, tokenizer: { encode, encodePrompt: encode, eosId: 0 } as unknown as Tokenizer };
}

const problem = (i: number, length: number) => ({
  id: `p${i}`,
  question: 'What is 1 + 1?',
  answer: '2',
  chain: `Step 1: ${'so '.repeat(length / 3)}1 + 1 = 2.\nAnswer: 2`,
});

test('tokens of usual lessons are made once, and only when they are asked for', () => {
  const { counts, tokenizer } = counting();
  const lessons = prepareLessons(
    Array.from({ length: 50 }, (_, i) => problem(i, 30)),
    tokenizer,
  );
  expect(lessons.filter(({ chain }) => chain?.steps.length === 1)).toHaveLength(50);
  expect(counts.texts).toBe(0);
  for (let round = 0; round < 3; round++)
    for (const { prompt, teacherTokens } of lessons) expect([prompt.length, teacherTokens!.at(-1)]).toEqual([35, 0]);
  expect(counts.texts).toBe(100);
});

test('tokens of more text than a program has room for are made again', () => {
  const { counts, tokenizer } = counting();
  const lessons = prepareLessons(
    Array.from({ length: 40 }, (_, i) => problem(i, 300_000)),
    tokenizer,
  );
  for (let round = 0; round < 2; round++)
    for (const [i, { problem: own, teacherTokens }] of lessons.entries())
      expect([own.id, teacherTokens!.length > 300_000]).toEqual([`p${i}`, true]);
  expect(counts.texts).toBe(80);
});
