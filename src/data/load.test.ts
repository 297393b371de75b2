import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkEquations } from '../arithmetic/calculator';
import { bridgeRow } from '../cases/testing/bridge-row';
import type { DataSource } from '../config/experiment';
import { UserError } from '../errors';
import { packageRoot } from '../paths';
import { thrown } from '../testing/errors';
import { loadData } from './load';

const folder = mkdtempSync(join(tmpdir(), 'distillery-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Format = Exclude<DataSource['format'], 'arithmetic'>;

function load(format: Format, content: string, range: { start?: number; count?: number } = {}) {
  writeFileSync(join(folder, 'rows.jsonl'), content);
  return loadData({ format, path: 'rows.jsonl', start: 0, ...range }, folder);
}

const failure = (format: Format, content: string, range = {}) => thrown(UserError, () => load(format, content, range));

const lines = (...rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

describe('chains', () => {
  const rows = [
    { id: 'a', question: 'How many?', answer: '1,080', chain: 'Step 1: 1,000 + 80 = 1,080' },
    { id: 7, question: ' Which? ', answer: -3, meta: { level: 2 }, source: 'hand' },
    { id: 'c', question: 'q', answer: '42', student: { text: 'Answer: 42.00', answer: '42.00', tokens: 5 } },
  ];

  it('come as written, numbers as texts, other keys in meta', () => {
    const { problems, hash, file } = load('chains', lines(...rows));
    expect(problems).toEqual([
      rows[0],
      { id: '7', question: 'Which?', answer: '-3', meta: { level: 2, source: 'hand' } },
      { ...rows[2], student: { text: 'Answer: 42.00', answer: '42.00', tokens: 5, correct: true } },
    ]);
    expect(file).toBe(join(folder, 'rows.jsonl'));
    expect(hash).toBe(
      createHash('sha256')
        .update(lines(...rows))
        .digest('hex'),
    );
  });

  it('are read by range, blank lines not counted, with any line ends', () => {
    const text = lines(...rows).replaceAll('\n', '\r\n\r\n');
    expect(load('chains', `\uFEFF${text}`, { start: 1, count: 1 }).problems.map(({ id }) => id)).toEqual(['7']);
    expect(load('chains', text.trimEnd(), { start: 1 }).problems).toHaveLength(2);
  });

  it.each([
    ['an empty file', '', {}, undefined, /dataset is empty/],
    ['blank lines alone', '\n \n', {}, undefined, /dataset is empty/],
    ['a start past the end', lines(...rows), { start: 3 }, undefined, /has 3, but 3 are skipped/],
    ['broken JSON', `${lines(rows[0])}{"id": "b",}\n`, {}, 2, /broken JSON/],
    ['a line cut off', lines(...rows).slice(0, -5), {}, 3, /broken JSON/],
    ['no question', lines({ id: 'a', answer: '1' }), {}, 1, /has no "question"/],
    ['no answer', `\n${lines({ id: 'a', question: 'q' })}`, {}, 2, /has no "answer"/],
    ['an empty answer', lines({ id: 'a', question: 'q', answer: ' ' }), {}, 1, /empty "answer"/],
    [
      'a list as answer',
      lines({ id: 'a', question: 'q', answer: ['1', '2'] }),
      {},
      1,
      /a value other than a text as "answer"/,
    ],
    ['no id', lines({ question: 'q', answer: '1' }), {}, 1, /has no "id"/],
    ['an id twice', lines(rows[0], rows[1], { ...rows[0], question: 'x' }), {}, 3, /"a" is already on line 1/],
    ['a chain that is a list', lines({ ...rows[0], chain: ['1'] }), {}, 1, /"chain" is not a text/],
    ['meta that is a list', lines({ ...rows[0], meta: [] }), {}, 1, /"meta" is not an object/],
    ['a student without text', lines({ ...rows[0], student: {} }), {}, 1, /"student" has no "text"/],
    ['a prototype key', '{"id":"a","question":"q","answer":"1","meta":{"__proto__":{"x":1}}}\n', {}, 1, /__proto__/],
    ['an array of others', '[{"idx": 1}]', {}, 1, /row 1: the row has no "id"/],
    ['no objects', '"a"\n', {}, 1, /not a JSON object/],
    ["GSM8K's rows", lines({ question: 'q', answer: 'x\n#### 1' }), {}, 1, /looks like GSM8K/],
  ])('with %s are refused, by line and with a remedy', (_, content, range, line, message) => {
    const error = failure('chains', content, range);
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({
      file: join(folder, 'rows.jsonl'),
      line,
      code: 'dataset',
      remedy: expect.stringMatching(/./),
    });
  });

  it('that are missing are reported', () => {
    expect(() => loadData({ format: 'chains', path: 'none.jsonl', start: 0 }, folder)).toThrow(
      expect.objectContaining({ code: 'missing', file: join(folder, 'none.jsonl'), message: 'no such file or folder' }),
    );
  });
});

describe('GSM8K', () => {
  const row = { question: 'Q?', answer: 'She had 500+580=<<500+580=1080>>1,080.\nSo it is so.\n#### 1,080' };

  it('has its marks stripped for reading and kept for checking, and answers without commas', () => {
    const { problems } = load(
      'gsm8k',
      lines(row, { ...row, answer: '#### -10' }, { ...row, answer: 'x\n#### 1,234,567' }),
    );
    expect(problems.at(0)!).toEqual({
      id: 'rows-0',
      question: 'Q?',
      answer: '1080',
      chain: 'She had 500+580=1,080.\nSo it is so.\n#### 1,080',
      meta: { marked: row.answer },
    });
    expect(problems.map(({ answer }) => answer)).toEqual(['1080', '-10', '1234567']);
    expect(load('gsm8k', lines(row, row, row), { start: 1, count: 1 }).problems.at(0)!.id).toBe('rows-1');
  });

  it.each([
    ['chains', { id: 'a', question: 'q', answer: '1' }, /looks like chains/],
    ['an answer without its line', { question: 'q', answer: '1' }, /does not end in a line "#### n"/],
    ['an answer that is no number', { question: 'q', answer: 'x\n#### many' }, /does not end in a line "#### n"/],
    ['an answer with text after it', { question: 'q', answer: 'x\n#### 1\nmore' }, /does not end in a line "#### n"/],
  ])('refuses %s', (_, wrong, message) => {
    const error = failure('gsm8k', lines(row, wrong));
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ line: 2, code: 'dataset' });
  });
});

describe('BRIDGE', () => {
  const row = {
    ...bridgeRow(2071, 'Step 1: ...\n\nFinal Answer: 19.00', 9),
    predicted_answer: '19.00',
  };

  it('gives the teacher chain and the recorded answer, flagged where it is right as a number', () => {
    const { problems } = load('bridge', JSON.stringify([row, { ...row, idx: 2072, predicted_answer: '41' }]));
    expect(problems.at(0)!).toEqual({
      id: 'bridge-2071',
      question: row.question,
      answer: '19',
      chain: row.teacher_cot,
      student: { text: row.response, answer: '19.00', tokens: 9, finished: true, correct: true },
      meta: { idx: 2071, markedCorrect: false },
    });
    expect(problems.at(1)!.student?.correct).toBe(false);
  });

  it('knows a response of 400 tokens as cut off', () => {
    const { problems } = load('bridge', JSON.stringify([{ ...row, token_count: 400 }]));
    expect(problems.at(0)!.student?.finished).toBe(false);
  });

  it.each([
    ['a text', '"x"', /not a JSON object/],
    ['an empty array', '[]', /dataset is empty/],
    ['an empty file', '', /dataset is empty/],
    ['broken JSON', '[\n{"idx": 1,\n]', /broken JSON/],
    [
      'a row without answer',
      JSON.stringify([row, { ...row, gold_answer: undefined }]),
      /row 2: the row has no "gold_answer"/,
    ],
    ['other rows', JSON.stringify([{ question: 'q', answer: '1' }]), /not BRIDGE's file/],
    ['a row twice', JSON.stringify([row, row]), /"bridge-2071" is already on row 1/],
  ])('refuses %s', (_, content, message) => {
    const error = failure('bridge', content);
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ code: 'dataset', remedy: expect.stringMatching(/./) });
  });

  it('names the line of broken JSON', () => {
    expect(failure('bridge', '[\n{"idx": 1,\n]')).toMatchObject({ line: 3, column: 1 });
  });
});

describe('arithmetic', () => {
  const source: DataSource = { format: 'arithmetic', seed: 3, count: 20, start: 5, operations: [2, 3], maxValue: 60 };

  it("gives the generator's problems from `start` on, with a hash that depends on all of them", () => {
    const { problems, hash, file } = loadData(source, '/nowhere');
    expect(problems).toHaveLength(20);
    expect(file).toBeUndefined();
    expect(loadData({ ...source, start: 6, count: 19 }, '/').problems).toEqual(problems.slice(1));
    expect(loadData(source, '/').hash).toBe(hash);
    expect(loadData({ ...source, count: 19 }, '/').hash).not.toBe(hash);
    expect(loadData(source, '/', 'test').problems).not.toEqual(problems);
  });

  it('gives teacher chains to the first `chains` problems alone', () => {
    const { problems, hash } = loadData({ ...source, chains: 3 }, '/');
    expect([...problems].map(({ chain }) => chain !== undefined)).toEqual(Array.from({ length: 20 }, (_, i) => i < 3));
    expect([...problems].map(({ question }) => question)).toEqual(
      [...loadData(source, '/').problems].map(({ question }) => question),
    );
    expect(hash).not.toBe(loadData(source, '/').hash);
  });
});

const shared = join(packageRoot(), '../shared/data');

describe.skipIf(!existsSync(shared))('the published files (only where ../shared/data is there)', () => {
  it('of GSM8K are read whole, every answer a number and every solution without marks', () => {
    const { problems } = loadData({ format: 'gsm8k', path: 'gsm8k/train.jsonl', start: 0 }, shared);
    expect(problems).toHaveLength(7473);
    expect(problems.filter(({ answer }) => !/^-?\d+$/.test(answer))).toEqual([]);
    expect(problems.filter(({ answer }) => answer.startsWith('-'))).toHaveLength(3);
    expect(problems.filter(({ meta }) => /####.*,/.test(String(meta?.marked)))).toHaveLength(79);
    expect([...problems].some(({ chain }) => chain!.includes('<<'))).toBe(false);
    expect(checkEquations(String(problems.at(0)!.meta?.marked)).length).toBeGreaterThan(0);
    const test = loadData({ format: 'gsm8k', path: 'gsm8k/test-first-660.jsonl', start: 0, count: 50 }, shared);
    expect(test.problems).toHaveLength(50);
  });

  it('of BRIDGE are 568 failures, of which 10 are right as numbers', () => {
    const path = 'bridge/stage3_error_samples.json';
    const { problems, hash } = loadData({ format: 'bridge', path, start: 0 }, shared);
    expect(problems).toHaveLength(568);
    expect(problems.filter(({ student }) => student?.correct)).toHaveLength(10);
    expect(problems.filter(({ student }) => student?.finished === false)).toHaveLength(128);
    expect([...problems].every(({ meta }) => meta?.markedCorrect === false)).toBe(true);
    expect(hash).toBe(
      createHash('sha256')
        .update(readFileSync(join(shared, path)))
        .digest('hex'),
    );
  });
});
