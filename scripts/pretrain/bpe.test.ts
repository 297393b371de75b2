import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeTokenizer } from '../../src/student-files/tokenizer';
import { learnMerges, tokenizerJson } from './bpe';
import { pretrainingRow } from './corpus';

const texts = Array.from({ length: 60 }, (_, i) => {
  const { prompt, completion } = pretrainingRow(i, { concise: 0.15, seed: 1 });
  return prompt + completion;
});
const special = ['<|endoftext|>', '[MASK]'];
const merges = learnMerges(texts, 400, special.length);
const tokenizer = makeTokenizer(JSON.parse(JSON.stringify(tokenizerJson(merges, special))), {
  eos_token: special[0],
});

describe('byte-pair encoding', () => {
  it('merges the most frequent pair first', () => {
    expect(learnMerges(['ab ab ab', 'ac'], 260, 0).slice(0, 2)).toEqual([
      ['a', 'b'],
      ['Ġ', 'ab'],
    ]);
  });

  it('has the requested size and keeps digits separate', () => {
    expect(tokenizer.vocabSize).toBe(400);
    expect(tokenizer.tokenTexts(tokenizer.encode('12 + 345 = 357.\n'))).toEqual(
      expect.arrayContaining(['1', '2', ' +', ' 3', '4', '5', ' =', ' 3', '5', '7']),
    );
  });

  it('decodes any text back to itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        fc.pre(!special.some((token) => text.includes(token)));
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
    expect(tokenizer.tokenTexts(tokenizer.encode('- [MASK]\n'))).toContain('[MASK]');
    for (const text of texts)
      expect(tokenizer.decode(tokenizer.encode(text.replaceAll('[MASK]', '')))).toBe(text.replaceAll('[MASK]', ''));
  });
});
