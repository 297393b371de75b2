import { expect, it } from 'vitest';
import { judge } from '../answers/grade';
import { caveats } from './caveats';

const asked = { maxNewTokens: 112, setting: 'evaluation.maxNewTokens', prompt: 'chat' as const, chatTemplate: true };
const answer = (text: string, finished = true) => ({ text, finished, ...judge(text, '42') });
const some = (count: number, ...of: Parameters<typeof answer>) => Array.from({ length: count }, () => answer(...of));
const right = (count: number) => some(count, 'Step 1: 6 * 7 = 42\nAnswer: 42');

it('is empty if nothing distorts the accuracy', () => {
  expect(caveats([...right(5), ...some(5, 'Answer: 41')], asked)).toEqual([]);
  expect(caveats([...right(19), ...some(1, 'Let me think about', false)], asked)).toEqual([]);
  expect(caveats([], asked)).toEqual([]);
});

it('reports answers cut off before their result, and the setting', () => {
  const [note, ...rest] = caveats([...right(2), ...some(8, 'First we look at the boxes, and then', false)], asked);
  expect(note).toMatch(/^8 of 10 answers were cut off at 112 tokens .* Raise evaluation\.maxNewTokens/);
  expect(rest).toEqual([]);
  const [full] = caveats(some(4, 'First we look', false), { ...asked, room: 115 });
  expect(full).toMatch(/positions leave hardly more: longer answers need a student with more/);
  // A text that states its result and runs on has lost nothing.
  expect(caveats([...right(2), ...some(8, 'Answer: 42\nQuestion: Another', false)], asked)).toEqual([]);
});

it('reports answers without a marker, and how many are right by their last number', () => {
  const [note] = caveats([...some(3, 'So there are 42 pens.'), ...some(7, 'Pens are for writing.')], asked);
  expect(note).toMatch(/^10 of 10 answers end without marking a result \(the last number of 3 of them is right\)/);
});

it('reports empty answers, and results that are all wrong', () => {
  expect(caveats(some(4, ''), asked)[0]).toMatch(/^4 of 4 answers are empty/);
  expect(caveats(some(4, 'Answer: 7'), asked)).toEqual([
    expect.stringMatching(/^None of 4 answers is right, though 4 state a result/),
  ]);
});

it('suggests another prompt if few answers are right', () => {
  const plain = { ...asked, prompt: 'plain' as const };
  const wrong = some(4, 'I do not know.');
  expect(caveats(wrong, { ...plain, chatTemplate: false })[1]).toMatch(/has no chat template .* chat_template\.jinja/);
  expect(caveats(wrong, plain)[1]).toMatch(/is asked without it.* "prompt": "chat"/);
  expect(caveats(wrong, { ...plain, chatTemplate: undefined })).toHaveLength(1);
  expect(caveats(right(4), { ...plain, chatTemplate: false })).toEqual([]);
});
