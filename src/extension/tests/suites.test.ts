import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadSuite, recordName, suiteOfFile, suitesOfExperiment } from './suites';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-suites-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const textOf = (file: string) => readFileSync(file, 'utf8');
const row = (id: number) => JSON.stringify({ id: `p${id}`, question: `${id}?`, answer: `${id}`, chain: 'so' });

function experiment(data: object, evaluation = {}): string {
  return JSON.stringify({ name: 'x', seed: 3, student: { path: 's' }, data, evaluation });
}

it('cuts an experiment as its runs do, each problem at its line', () => {
  // Rows 1 and 2 are skipped; a blank line counts as no row.
  writeFileSync(join(folder, 'a.chains.jsonl'), [row(1), row(2), '', row(3), row(4), row(5), row(6)].join('\n'));
  const source = { format: 'chains', path: 'a.chains.jsonl' };
  const text = experiment(
    { train: { ...source, start: 2 }, test: { ...source, count: 2 }, validation: 1 },
    { count: 1, maxNewTokens: 9 },
  );
  const suites = suitesOfExperiment(join(folder, 'x.distillery.json'), text);
  const loaded = suites.map((suite) => {
    const { problems, lines } = loadSuite(suite, textOf);
    return [suite.name, problems.map(({ id }, i) => `${id} on ${lines[i]}`)];
  });
  expect(loaded).toEqual([
    ['test', ['p1 on 0']],
    ['validation', ['p6 on 6']],
    ['train', ['p3 on 3', 'p4 on 4', 'p5 on 5']],
  ]);
  expect(suites[0]).toMatchObject({
    settings: { maxNewTokens: 9, temperature: 0, seed: 3 },
    experiment: join(folder, 'x.distillery.json'),
  });
});

it('has generated problems on lines of a document of their own', () => {
  const generated = { format: 'arithmetic', seed: 1, count: 5, operations: [2, 2] };
  const [test, validation] = suitesOfExperiment(
    '/x',
    experiment({ train: generated, test: { ...generated, start: 7 }, validation: 2 }),
  );
  expect(test.file).toBeUndefined();
  expect(loadSuite(test, textOf)).toMatchObject({
    lines: [0, 1, 2, 3, 4],
    problems: [{ id: 'test-1-7' }, {}, {}, {}, {}],
  });
  expect(loadSuite(validation, textOf)).toMatchObject({
    lines: [3, 4],
    problems: [{ id: 'train-1-3' }, { id: 'train-1-4' }],
  });
});

it("finds the rows of BRIDGE's array", () => {
  const rows = [1, 2].map((idx) => ({
    idx,
    question: '?',
    gold_answer: '5',
    response: 'r',
    teacher_cot: 't',
    is_correct: false,
  }));
  const file = join(folder, 'errors.json');
  writeFileSync(file, JSON.stringify(rows, null, 2));
  const suite = suiteOfFile(file);
  expect(suite.source.format).toBe('bridge');
  const { lines, problems } = loadSuite(suite, textOf);
  expect(problems.map(({ id }) => id)).toEqual(['bridge-1', 'bridge-2']);
  expect(lines.map((line) => textOf(file).split('\n')[line])).toEqual(['  {', '  {']);
  expect(textOf(file).split('\n')[lines[1] + 1]).toContain('"idx": 2');
});

it('reports errors of an experiment or a file', () => {
  expect(() => suitesOfExperiment('/x.distillery.json', '{ "name": 3 }')).toThrow(/Missing setting "student"/);
  writeFileSync(join(folder, 'empty.chains.jsonl'), '');
  expect(() => suiteOfFile(join(folder, 'empty.chains.jsonl'))).toThrow(/the dataset is empty/);
});

it('names records so that they can be files', () => {
  const file = join(folder, 'my sums (1).chains.jsonl');
  writeFileSync(file, row(1));
  expect(recordName(suiteOfFile(file))).toBe('my-sums-1-');
});
