import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/student-files/files';
import { makeTokenizer } from '../../src/student-files/tokenizer';
import { readFixture } from './fixtures';
import { differing, type GeneratedTexts, generated } from './texts';

interface Fixture {
  texts: number;
  block: number;
  special: string[];
  tokenizers: Record<
    'llama' | 'mistral',
    { json: JsonObject; generated: string[]; special: number[][]; prompt: number[]; decoded: string[] }
  >;
}

const fixture = readFixture<Fixture>('byte-fallback.json');
const texts = [...generated(readFixture<GeneratedTexts>('tokenizers.json'))].slice(0, fixture.texts);

describe.each(['llama', 'mistral'] as const)("a tokenizer of SentencePiece's kind, as %s's", (kind) => {
  const expected = fixture.tokenizers[kind];
  const tokenizer = makeTokenizer(expected.json, { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' });

  it('gives the ids of Hugging Face tokenizers for texts of many scripts, spaces and signs', () => {
    expect(differing(tokenizer, texts, fixture.block, expected.generated)).toEqual([]);
  });

  it.each(fixture.special.map((text, i) => ({ text, i })))('gives them for $text', ({ text, i }) => {
    expect(tokenizer.encode(text)).toEqual(expected.special[i]);
    expect(tokenizer.decode(expected.special[i])).toBe(expected.decoded[i]);
  });

  it('begins a prompt as the files say', () => {
    expect(tokenizer.encodePrompt('Question: 1 + 1')).toEqual(expected.prompt);
  });

  it('shows what each token adds to a text', () => {
    for (const text of ['Ann has 4 pens', 'naïve 😀 x']) {
      const shown = tokenizer.tokenTexts(tokenizer.encode(text));
      expect(shown.join('')).toBe(text);
    }
  });
});
