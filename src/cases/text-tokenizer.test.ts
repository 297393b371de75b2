import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors';
import { packageRoot } from '../paths';
import { loadTextTokenizer, wordTokenizer } from './text-tokenizer';

const student = join(packageRoot(), 'examples/arithmetic/student');

describe('the student’s tokenizer', () => {
  const { tokenize, unit } = loadTextTokenizer(student);

  it('gives ids with texts that join to the text', () => {
    const text = 'Step 1: First, Ali has 15 books.\nAnswer: 15';
    const { ids, texts } = tokenize(text);
    expect(unit).toBe('tokens');
    expect(texts.join('')).toBe(text);
    expect(ids).toHaveLength(texts.length);
    expect(texts).toContain(' Ali');
    expect(ids[texts.indexOf(' Ali')]).toBe(tokenize('So Ali').ids.at(-1));
  });

  it('keeps characters of several bytes whole', () => {
    const { texts } = tokenize('12 × 3 − 1 = 35 €');
    expect(texts.join('')).toBe('12 × 3 − 1 = 35 €');
    expect(texts.filter((text) => text.includes('\ufffd'))).toEqual([]);
  });

  it('reports a regular expression that never ends', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
    for (const name of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(student, name), join(folder, name));
    const file = join(folder, 'tokenizer.json');
    const pattern = { type: 'Split', pattern: { Regex: '(?:a|aa)+$' }, behavior: 'Isolated', invert: false };
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), pre_tokenizer: pattern }));
    expect(() => loadTextTokenizer(folder).tokenize(`${'a'.repeat(60)}!`)).toThrow(UserError);
    rmSync(folder, { recursive: true });
  });

  it('reports missing files', () => {
    expect(() => loadTextTokenizer('/nowhere')).toThrow(UserError);
  });
});

describe('words', () => {
  it('are equal at every position, and join to the text', () => {
    const { tokenize } = wordTokenizer();
    const text = 'Lee has $15. Lee’s 15 pens:\n\n 3 × 4,000';
    const { ids, texts } = tokenize(text);
    expect(texts.join('')).toBe(text);
    expect(ids[texts.indexOf('15')]).toBe(ids[texts.indexOf(' 15')]);
    expect(tokenize('has').ids[0]).toBe(ids[texts.indexOf(' has')]);
  });
});
