import { describe, expect, it } from 'vitest';
import { spelling } from '../../student-files/gguf/sentencepiece';
import { tokenizerFiles } from '../../student-files/gguf/tokenizer';
import { cutsOtherwise, vocabularyFields } from '../../student-files/gguf/vocabulary';
import type { MetadataField } from '../../student-files/gguf/write';
import { makeTokenizer } from '../../student-files/tokenizer';
import { metadata } from './testing/tiny';

describe("a tokenizer of SentencePiece's kind", () => {
  const pieces = [
    ...[
      '<unk>',
      '<s>',
      '</s>',
      ...Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`),
    ],
    ...['\u2581', 't', 'h', 'e', 'a', 'he', 'th', '\u2581t', '\u2581the', 'the', '\u2581th'],
  ];
  const first = 259;
  const fields: MetadataField[] = [
    ['tokenizer.ggml.model', 'string', 'llama'],
    ['tokenizer.ggml.tokens', 'string', pieces],
    ['tokenizer.ggml.token_type', 'i32', pieces.map((_, id) => (id >= first ? 1 : id > 2 ? 6 : id === 0 ? 2 : 3))],
    ['tokenizer.ggml.scores', 'f32', pieces.map((_, id) => (id < first ? 0 : first - id - 1))],
    ['tokenizer.ggml.unknown_token_id', 'u32', 0],
    ['tokenizer.ggml.bos_token_id', 'u32', 1],
    ['tokenizer.ggml.eos_token_id', 'u32', 2],
  ];
  const id = (piece: string) => pieces.indexOf(piece);

  it('merges the pair whose token has the highest score, and spells the rest in bytes', () => {
    const { tokenizer, tokenizerConfig, eosIds } = tokenizerFiles(metadata(fields), 'x.gguf');
    const made = makeTokenizer(tokenizer, tokenizerConfig, eosIds);
    expect(made.encode('the thtea')).toEqual(['\u2581the', '\u2581th', 't', 'e', 'a'].map(id));
    expect(made.encodePrompt('a')).toEqual([1, id('\u2581'), id('a')]);
    expect(made.encode('é')).toEqual([id('\u2581'), id('<0xC3>'), id('<0xA9>')]);
    expect(made.decode(made.encode('the é  a\n'))).toBe('the é  a\n');
  });

  it('is the same after a round trip through GGUF, unlike a tokenizer with its own merges', () => {
    const { tokenizer } = tokenizerFiles(metadata(fields), 'x.gguf');
    const written = vocabularyFields(tokenizer, pieces.length + 3, 'tokenizer.json');
    const again = tokenizerFiles(metadata([...written, ...fields.slice(-2)]), 'y.gguf').tokenizer;
    expect(again.model).toEqual(tokenizer.model);
    expect(again.normalizer).toEqual(tokenizer.normalizer);
    const model = tokenizer.model as { merges: string[] };
    // The ways to make one token in another order, as other versions of transformers write them.
    const made = model.merges.map((merge) => merge.replace(' ', ''));
    const rank = (merge: string) => made.indexOf(merge.replace(' ', ''));
    const turned = model.merges.toReversed().sort((a, b) => rank(a) - rank(b));
    expect(turned).not.toEqual(model.merges);
    const other = { ...tokenizer, model: { ...model, merges: turned } };
    expect(vocabularyFields(other, pieces.length + 3, 'tokenizer.json')).toEqual(written);
    const fewer = { ...tokenizer, model: { ...model, merges: model.merges.slice(1) } };
    expect(() => vocabularyFields(fewer, pieces.length, 'tokenizer.json')).toThrow('scores cannot express');
    const [first, second] = model.merges;
    const apart = { ...tokenizer, model: { ...model, merges: [second, first, ...model.merges.slice(2)] } };
    const aside = vocabularyFields(apart, pieces.length + 3, 'tokenizer.json');
    expect(aside).not.toEqual(written); // another token goes first
  });

  it('is spelled by Metaspace in the files of transformers 5, with a note of what llama.cpp does otherwise', () => {
    const { tokenizer } = tokenizerFiles(metadata(fields), 'x.gguf');
    const written = vocabularyFields(tokenizer, pieces.length, 'tokenizer.json');
    const spelled = (prepend_scheme: string, prefix: boolean) => ({
      ...tokenizer,
      normalizer: null,
      pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme, split: false },
      decoder: spelling(prefix).decoder,
    });
    expect(cutsOtherwise(tokenizer)).toBeNull();
    for (const scheme of ['first', 'always']) {
      expect(vocabularyFields(spelled(scheme, true), pieces.length, 'tokenizer.json')).toEqual(written);
      expect(cutsOtherwise(spelled(scheme, true))).toContain('llama.cpp adds a space');
    }
    const bare = vocabularyFields(spelled('never', false), pieces.length, 'tokenizer.json');
    expect(bare).toContainEqual(['tokenizer.ggml.add_space_prefix', 'bool', false]);
    expect(cutsOtherwise(spelled('never', false))).toBeNull();
    expect(() => vocabularyFields(spelled('never', true), pieces.length, 'tokenizer.json')).toThrow(
      'a pre-tokenizer of its own',
    );
  });
});
