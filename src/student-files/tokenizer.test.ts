import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { UserError } from '../errors';
import { thrown } from '../testing/errors';
import { tinyTokenizer } from './testing/tiny';
import { loadTokenizer, makeTokenizer } from './tokenizer';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, value: unknown) =>
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
const { json, config } = tinyTokenizer();

it('encodes, decodes, and knows its special tokens', () => {
  const tokenizer = makeTokenizer(json, config);
  const text = 'Step 1: 3 + 4 = 7 €, naïve 😀\n';
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  expect(tokenizer.encode('Step')).toEqual([260]);
  expect(tokenizer.encode('Step<|mark|>')).toEqual([260, 1]);
  expect(tokenizer.decode([260, 1, 0])).toBe('Step');
  expect(tokenizer).toMatchObject({ eosId: 0, eosIds: [0], padId: 0, vocabSize: 261 });
  expect(tokenizer.encode('')).toEqual([]);
  expect(tokenizer.decode([])).toBe('');
});

it('shows each token, cut characters at their last one; joined they are the text', () => {
  const tokenizer = makeTokenizer(json, config);
  const ids = [...tokenizer.encode('Step €5 😀'), 0];
  const texts = tokenizer.tokenTexts(ids);
  expect(texts).toEqual(['Step', ' ', '', '', '€', '5', ' ', '', '', '', '😀', '<|endoftext|>']);
  const broken = tokenizer.tokenTexts(tokenizer.encode('a€').slice(0, -1)); // ends within a character
  expect(broken).toEqual(['a', '', '\ufffd']);
});

it('shows nothing for ids beyond its vocabulary', () => {
  const tokenizer = makeTokenizer(json, config);
  expect(tokenizer.decode([260, 5000])).toBe('Step');
  expect(tokenizer.tokenTexts([5000, 260])).toEqual(['', 'Step']);
});

it('keeps the spaces between SentencePiece tokens', () => {
  const pieces = ['<unk>', '<s>', '</s>', '▁', 'a', 'b', '▁a', '▁b', '1', '▁+'];
  const tokenizer = makeTokenizer(
    {
      added_tokens: [0, 1, 2].map((id) => ({ id, content: pieces[id], special: true, normalized: false })),
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: '▁' },
          { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
        ],
      },
      pre_tokenizer: null,
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
        pair: [],
        special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
      },
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          { type: 'Fuse' },
          { type: 'Strip', content: ' ', start: 1, stop: 0 },
        ],
      },
      model: {
        type: 'BPE',
        unk_token: '<unk>',
        fuse_unk: true,
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
        merges: ['▁ a', '▁ b'],
      },
    },
    { eos_token: { content: '</s>' }, bos_token: '<s>' },
  );
  const ids = tokenizer.encode('a b a1');
  expect(ids).toEqual([6, 7, 6, 8]);
  expect(tokenizer.encodePrompt('a b')).toEqual([1, 6, 7]);
  expect(tokenizer.decode(ids)).toBe('a b a1');
  expect(tokenizer.tokenTexts(ids)).toEqual(['a', ' b', ' a', '1']);
  expect(tokenizer.eosId).toBe(2);
});

it('collects end tokens from all files of a folder', () => {
  write('tokenizer.json', json);
  write('tokenizer_config.json', config);
  write('config.json', { eos_token_id: 1 });
  write('generation_config.json', { eos_token_id: [0, 5] });
  expect(loadTokenizer(folder)).toMatchObject({ eosId: 0, eosIds: [0, 1, 5] });
});

it('names the file that is missing or broken', () => {
  const failure = () => thrown(UserError, () => loadTokenizer(folder));
  expect(failure()).toMatchObject({ file: join(folder, 'tokenizer.json'), message: 'no such file or folder' });
  write('tokenizer.json', '{"model": ');
  expect(failure().message).toMatch(/not JSON/);
  write('tokenizer.json', '[]');
  expect(failure().message).toMatch(/JSON object/);
  for (const broken of [{}, { ...json, model: { type: 'None' } }, { ...json, model: null }, { ...json, decoder: 4 }]) {
    write('tokenizer.json', broken);
    expect(failure().message).toMatch(/cannot be used/);
  }
  write('tokenizer.json', json);
  expect(failure().message).toMatch(/end token/);
});

it('reads special tokens from special_tokens_map.json where tokenizer_config.json names none', () => {
  write('tokenizer.json', json);
  write('special_tokens_map.json', { eos_token: { content: '<|mark|>' } });
  expect(loadTokenizer(folder).eosId).toBe(1);
  write('tokenizer_config.json', config);
  expect(loadTokenizer(folder).eosId).toBe(0);
});

it.each([[['tokenizer.model']], [['vocab.json', 'merges.txt']]])('says how %j becomes a tokenizer.json', (names) => {
  for (const name of names) write(name, 'x');
  const convert = expect.objectContaining({ remedy: expect.stringContaining('save_pretrained') });
  expect(() => loadTokenizer(folder)).toThrow(convert);
});

it.each([-1, 1.5, 1e9, '7', null])('refuses a token with the id %j', (id) => {
  const { vocab, ...model } = json.model as { vocab: object };
  const broken = { ...json, model: { ...model, vocab: { ...vocab, Step: id } } };
  expect(() => makeTokenizer(broken, config)).toThrow(/Token "Step" has the id/);
});

it.each([1e9, -1, 'a'])('refuses the unknown token %j of a vocabulary that is a list', (unk_id) => {
  const model = { type: 'Unigram', unk_id, vocab: [['<|endoftext|>', 0]] };
  expect(() => makeTokenizer({ ...json, model }, config)).toThrow(/The unknown token has the id/);
});

it('refuses two tokens with one id', () => {
  const { vocab, ...model } = json.model as { vocab: Record<string, number> };
  const broken = { ...json, model: { ...model, vocab: { ...vocab, Step: vocab.St } } };
  expect(() => makeTokenizer(broken, config)).toThrow(/tokens "St" and "Step" have the same id \d+/);
});

it('refuses a regular expression that never ends, in a text or in tokens', () => {
  const pattern = { Regex: '(a+)+$|.' };
  const pre_tokenizer = { type: 'Split', pattern, behavior: 'Isolated', invert: false };
  const tokenizer = makeTokenizer(
    { ...json, pre_tokenizer: { type: 'Sequence', pretokenizers: [pre_tokenizer, json.pre_tokenizer] } },
    config,
  );
  expect(tokenizer.encode('Step')).toEqual([...'Step'].map((letter) => tokenizer.encode(letter)[0]));
  expect(() => tokenizer.encode(`${'a'.repeat(60)}!`)).toThrow(/characters it takes more than/);
  const decoder = {
    type: 'Sequence',
    decoders: [json.decoder, { type: 'Replace', pattern: { Regex: '(a+)+b' }, content: '' }],
  };
  const other = makeTokenizer({ ...json, decoder }, config);
  expect(() => other.decode(other.encode('a'.repeat(60)))).toThrow(/it takes more than/);
  const twice = { type: 'Replace', pattern: { String: 'a' }, content: 'aa' };
  for (const decoders of [Array(40).fill(twice), [{ type: 'Sequence', decoders: Array(40).fill(twice) }]]) {
    const growing = makeTokenizer({ ...json, decoder: { type: 'Sequence', decoders } }, config);
    const failure = thrown(UserError, () => growing.decode(growing.encode('a')));
    expect(failure.message).toMatch(/cannot be used.*(?:it takes more than|it fails: Invalid string length)/);
  }
});

it('refuses a regular expression that is slow for each of many texts', () => {
  const pattern = { Regex: '(a+)+$|.' };
  const slow = { type: 'Split', pattern, behavior: 'Isolated', invert: false };
  const pre_tokenizer = { type: 'Sequence', pretokenizers: [slow, json.pre_tokenizer] };
  const tokenizer = makeTokenizer({ ...json, pre_tokenizer }, config);
  const texts = Array.from({ length: 1000 }, () => `${'a'.repeat(23)}!`);
  expect(() => texts.map(tokenizer.encode)).toThrow(/24 characters it takes too long: 5 s more than expected/);
});

it('reports added whole-word tokens, as they also match within words', () => {
  const { json, config } = tinyTokenizer();
  expect(makeTokenizer(json, config).notes).toEqual([]);
  const [first] = json.added_tokens as object[];
  const added = [...(json.added_tokens as object[]), { ...first, id: 261, content: 'word', single_word: true }];
  expect(makeTokenizer({ ...json, added_tokens: added }, config).notes).toEqual([
    expect.stringMatching(/whole words only \(single_word: "word"\)/),
  ]);
});
