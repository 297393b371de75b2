/** Datasets as people bring them, from the file to a running Stage 1. */
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExperiment } from '../../src/config/load';
import { packageRoot } from '../../src/paths';
import { type Distillery, openDistillery } from './distillery';

let distillery: Distillery;
beforeAll(async () => {
  distillery = await openDistillery();
  cpSync(join(packageRoot(), 'test/fixtures/data'), join(distillery.folder, 'data'), { recursive: true });
});
afterAll(() => distillery?.close());

const made = (name: string) => loadExperiment(join(distillery.folder, `${name}/${name}.distillery.json`)).experiment;

describe('new', () => {
  it('shows the columns it guessed, and writes them', async () => {
    const { code, stderr } = await distillery.run('new', 'r1', '--data', 'data/messages.jsonl', '--student', 'student');
    expect([code, stderr]).toEqual([
      0,
      "Columns: question: messages, answer: what the chain ends in, chain: messages, id: the row's number\n",
    ]);
    expect(made('r1').data.train).toMatchObject({
      format: 'rows',
      columns: { question: 'messages', chain: 'messages' },
    });
  });

  it('takes columns that are told', async () => {
    const columns = 'question=original_question,chain=response';
    const told = await distillery.json(
      ...['new', 'told', '--data', 'data/metamath.jsonl', '--columns', columns, '--student', 'student'],
    );
    expect(told).toMatchObject({ columns: { question: 'original_question', chain: 'response' } });
    const wrong = await distillery.run('new', 'x', '--data', 'data/metamath.jsonl', '--columns', 'frage=query');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('"frage=query" is not one of question=NAME'),
    ]);
    const absent = await distillery.run('new', 'x', '--data', 'data/metamath.jsonl', '--columns', 'question=nothing');
    expect([absent.code, absent.stderr]).toEqual([2, expect.stringContaining('there is no column "nothing"')]);
  });

  it('lists rows that cannot be used, and leaves them out where that is wished', async () => {
    const asked = ['new', 'some', '--data', 'data/nullsome.parquet', '--student', 'student'];
    const refused = await distillery.run(...asked);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/10 of 200 rows cannot be used: row 1: .*; row 81: .*; and 5 more[\s\S]*--skip-bad/),
    ]);
    const { notes } = await distillery.json<{ notes: string[] }>(...asked, '--skip-bad');
    expect(notes[0]).toMatch(/^10 of 200 rows cannot be used and are left out: row 1/);
    const { train, test } = made('some').data;
    expect([train, test]).toMatchObject([
      { skipBad: true, count: 161 },
      { skipBad: true, start: 161, count: 29 },
    ]);
  });

  it('takes a folder of shards, and its test shards', async () => {
    expect((await distillery.run('new', 'shards', '--data', 'data/shards', '--student', 'student')).code).toBe(0);
    const preview = await distillery.json<{ id: string }[]>('preview', 'shards', '--start', '9', '--count', '1');
    expect(preview[0].id).toBe('train-00001-of-00002-0');
    expect(made('shards').data.test).toMatchObject({ path: join(distillery.folder, 'data/shards/**/*test*') });
  });
});

it('from R1 chains as messages to a running Stage 1, in three commands', async () => {
  const think = (n: number) => `<think>\n${n}.\n</think>\n\nStep 1: ${n} + 1 = ${n + 1}.\nAnswer: ${n + 1}`;
  const rows = Array.from({ length: 12 }, (_, n) => ({
    messages: [
      { role: 'user', content: `${n} and 1?` },
      { role: 'assistant', content: think(n) },
    ],
  }));
  distillery.write('own.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
  const made = await distillery.run('new', 'own', '--data', 'own.jsonl', '--student', 'student');
  expect(made.stdout).toContain('distillery preview own');
  expect((await distillery.run('preview', 'own')).stdout).toContain('Answer: 1');
  const run = await distillery.run('run', 'own', '--quick', '--stage', 'reconstruct');
  expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('error')]);
  expect(existsSync(join(distillery.folder, 'own/.distillery/runs'))).toBe(true);
});

it('imports recorded answers from any dataset', async () => {
  distillery.write('answers.csv', 'question,gold,said\nWhat is 3 * 4?,12,"3 * 4 = 11.\nAnswer: 11"\n');
  const imported = await distillery.json<{ cases: number; folder: string }>(
    ...['import', 'cases', 'answers.csv', '--columns', 'student=said,answer=gold'],
  );
  expect(imported.cases).toBe(1);
  const failures = readFileSync(join(imported.folder, 'failures.jsonl'), 'utf8');
  expect(JSON.parse(failures)).toMatchObject({ problemId: 'answers-0', answer: '12' });
});
