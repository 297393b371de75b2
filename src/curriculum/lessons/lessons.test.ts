import { expect, test } from 'vitest';
import { Random } from '../../random';
import type { Tokenizer } from '../../student-files/tokenizer';
import { lessonInForm, prepareLessons, reconstructExample } from './lessons';

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

test('typical lessons are tokenized once, and only on demand', () => {
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

test('tokens that exceed the cache are computed again', () => {
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

test('a concise lesson shows and teaches only the sentences that compute; the question is unchanged', () => {
  const seen: string[] = [];
  const encode = (text: string) => [seen.push(text)];
  const tokenizer = { encode, encodePrompt: encode, eosId: 0 } as unknown as Tokenizer;
  const chain = 'Step 1: Let us see. 1 + 1 = 2.\nStep 2: 2 + 3 = 5, so we are done.\nAnswer: 5';
  const [whole] = prepareLessons([{ id: 'a', question: 'How many?', answer: '5', chain }], tokenizer);
  const concise = lessonInForm('concise', whole, tokenizer);
  expect(lessonInForm('whole', whole, tokenizer)).toBe(whole);
  expect(concise.chain!.steps).toEqual(['1 + 1 = 2.', '2 + 3 = 5, so we are done.']);
  expect(concise.prompt).toBe(whole.prompt);
  const options = { maskProbability: 0, maskSteps: 1, shuffleProbability: 0, mixPlain: 0 };
  const example = reconstructExample(concise, options, tokenizer, new Random(1));
  expect(example!.completion).toBe(concise.teacherTokens);
  expect(seen.at(-1)).toContain('\n- 1 + 1 = 2.\n- 2 + 3 = 5, so we are done.\n');
  expect(seen.some((text) => text.startsWith('Step 1: 1 + 1 = 2.\n'))).toBe(true);
  const [bare] = prepareLessons([{ id: 'b', question: 'How many?', answer: '5' }], tokenizer);
  expect(lessonInForm('concise', bare, tokenizer)).toBe(bare);
});
