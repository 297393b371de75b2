/** Datasets as people bring them, from the file to a running Stage 1. */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
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
      'Columns: question: messages, answer: the end of the chain, chain: messages, id: the row number\n',
    ]);
    expect(made('r1').data.train).toMatchObject({
      format: 'rows',
      columns: { question: 'messages', chain: 'messages' },
    });
  });

  it('uses the given columns', async () => {
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

  it('lists unusable rows, and skips them on request', async () => {
    const asked = ['new', 'some', '--data', 'data/nullsome.parquet', '--student', 'student'];
    const refused = await distillery.run(...asked);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/10 of 200 rows cannot be used: row 1: .*; row 81: .*; and 5 more[\s\S]*--skip-bad/),
    ]);
    const { notes } = await distillery.json<{ notes: string[] }>(...asked, '--skip-bad');
    expect(notes[0]).toMatch(/^10 of 200 rows cannot be used and are skipped: row 1/);
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
    for (const split of ['train', 'test'])
      distillery.write(
        `saved/${split}/0000.jsonl`,
        readFileSync(join(distillery.folder, 'data/messages.jsonl'), 'utf8'),
      );
    const { notes } = await distillery.json<{ notes: string[] }>(
      'new',
      'parts',
      '--data',
      'saved',
      '--student',
      'student',
    );
    expect(notes.join('\n')).toContain('test questions are training questions'); // but another file's
    const path = join(distillery.folder, 'saved');
    expect(made('parts').data).toMatchObject({ train: { path, split: 'train' }, test: { path, split: 'test' } });
  });
});

describe('chains with thinking', () => {
  const thinking = 'x '.repeat(200);
  const rows = (n: number) =>
    Array.from({ length: n }, (_, i) => ({
      question: `What is ${i} + 1?`,
      answer: `${i + 1}`,
      chain: `<think>\n${thinking}\n</think>\n\nStep 1: ${i} + 1 = ${i + 1}.\nAnswer: ${i + 1}`,
    }));
  const jsonl = (n: number) =>
    rows(n)
      .map((row) => JSON.stringify(row))
      .join('\n');
  /** The tiny student with a chat template that begins an answer with `opening`. */
  const student = (name: string, opening: string) => {
    const folder = join(distillery.folder, name);
    cpSync(join(distillery.folder, 'student'), folder, { recursive: true });
    const file = join(folder, 'tokenizer_config.json');
    const template = `{% for m in messages %}<|mark|>{{ m.role }}\n{{ m.content }}<|endoftext|>\n{% endfor %}{% if add_generation_prompt %}<|mark|>assistant\n${opening}{% endif %}`;
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), chat_template: template }));
    return name;
  };
  interface Made {
    notes: string[];
    budgets: { tokens: number; rows: number }[];
    chains: number;
    needs: string[];
  }

  it('are cut to their solutions, with the number that fits each budget', async () => {
    distillery.write('thought.jsonl', jsonl(40));
    const { notes, budgets, chains, needs } = await distillery.json<Made>(
      ...['new', 'plain', '--data', 'thought.jsonl', '--student', student('chats', '')],
    );
    expect(notes.join('\n')).toMatch(/^40 of 40 examined teacher chains have thinking .* It is cut off/m);
    expect([chains, budgets.at(-1)?.rows]).toEqual([40, 40]);
    expect(budgets.at(-1)!.tokens).toBeLessThan(100); // of the solutions alone
    expect(needs).toEqual([
      expect.stringMatching(/^needs about .* GB of memory/),
      expect.stringMatching(/^takes roughly .* on this machine/),
      expect.stringMatching(/^A quick run takes roughly /),
    ]);
    const { data, evaluation, stages } = made('plain');
    expect(data.thinking).toBe('cut');
    expect(evaluation.maxNewTokens).toBe(512); // the student's own answers are longer than these chains
    expect(stages.complete).toMatchObject({ maxNewTokens: budgets.at(-1)!.tokens });
    const [{ views }] = await distillery.json<{ views: { target: string }[] }[]>('preview', 'plain', '--count', '1');
    expect(views[0].target).toBe('Step 1: 0 + 1 = 1.\nAnswer: 1');
  });

  it('are kept for a student that thinks, and its thinking is closed; the preview shows the whole prompt', async () => {
    distillery.write('thought.jsonl', jsonl(40));
    const thinks = student('thinks', '<think>\n');
    const { notes } = await distillery.json<Made>('new', 'think', '--data', 'thought.jsonl', '--student', thinks);
    expect(notes.join('\n')).toMatch(/It is kept, as this student thinks too/);
    const { data, evaluation } = made('think');
    expect([data.thinking, evaluation.maxNewTokens]).toEqual(['keep', 4096]);
    const file = join(distillery.folder, 'think/think.distillery.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"student": {', '"student": { "system": "Be brief.",'));
    const [{ views }] = await distillery.json<{ views: { wholePrompt: string; wholeTarget: string }[] }[]>(
      ...['preview', 'think', '--count', '1', '--stage', 'reconstruct'],
    );
    const { wholePrompt, wholeTarget } = views[0];
    expect(wholePrompt).toMatch(/^<\|mark\|>system\nBe brief\.<\|endoftext\|>\n<\|mark\|>user\nQuestion: /);
    expect(wholePrompt).toMatch(/Solution:<\|endoftext\|>\n<\|mark\|>assistant\n<think>\n$/);
    expect(wholeTarget).toBe(`${thinking.trim()}\n</think>\n\nStep 1: 0 + 1 = 1.\nAnswer: 1`);
    const { stdout } = await distillery.run('preview', 'think', '--count', '1', '--stage', 'reconstruct');
    expect(stdout).toMatch(/│ <\|mark\|>system\n +│ Be brief\.[\s\S]*│ <think>\n[\s\S]*│ <\/think>\n/);
  });
});

it('from R1 chains to a running Stage 1 and its table in four commands, each named by the one before', async () => {
  const think = (n: number) => `<think>\n${n}.\n</think>\n\nStep 1: ${n} + 1 = ${n + 1}.\nAnswer: ${n + 1}`;
  const rows = Array.from({ length: 12 }, (_, n) => ({
    messages: [
      { role: 'user', content: `${n} and 1?` },
      { role: 'assistant', content: think(n) },
    ],
  }));
  distillery.write('own.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
  /** The command that a message names last, without the program's name. */
  const named = ({ stdout }: { stdout: string }, verb: string) => {
    const found = [...stdout.matchAll(new RegExp(`^ +distillery (${verb} .*)$`, 'gm'))].at(-1)?.[1];
    expect([verb, found]).toEqual([verb, expect.any(String)]);
    return found!.split(' ');
  };
  const made = await distillery.run('new', 'own', '--data', 'own.jsonl', '--student', 'student');
  const previewed = await distillery.run(...named(made, 'preview'));
  expect(previewed.stdout).toContain('Answer: 1');
  const run = await distillery.run(...named(previewed, 'run'), '--stage', 'reconstruct');
  expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('error')]);
  expect(existsSync(join(distillery.folder, 'own/.distillery/runs'))).toBe(true);
  const shown = await distillery.run(...named(run, 'show'));
  expect(shown.stdout).toMatch(/Stage 1/);
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
