import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../paths';
import {
  evaluationNames,
  openRun,
  readEvaluation,
  readFailures,
  readMetrics,
  readRollouts,
  readSummary,
  readValidation,
  rolloutSteps,
} from '../runs/reading';
import { type ImportSettings, importRollouts } from './import';

const fixtures = join(packageRoot(), 'test', 'fixtures', 'rollouts');
const student = join(packageRoot(), 'examples', 'arithmetic', 'student');

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'rollouts-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const importOne = async (...[path, settings]: Parameters<typeof importRollouts>) => {
  const [imported, ...others] = await importRollouts(path, settings);
  expect(others).toEqual([]);
  return imported;
};
const bring = (path: string, more: Partial<ImportSettings> = {}) =>
  importOne(join(fixtures, path), { runsFolder: join(folder, 'runs'), ...more });

describe('importing rollouts', () => {
  it("TRL's completions become updates with groups, parts and advantages, and its log the curves", async () => {
    const { folder: run, ...rest } = await bring('trl', { tokenizer: student });
    expect(rest).toEqual({ format: 'completions of TRL', updates: 3, completions: 24, tests: 0, notes: [] });
    expect(openRun(run).record).toMatchObject({ state: 'finished', name: 'trl-trl' });
    expect(rolloutSteps(run)).toEqual([1, 2, 3].map((step) => ({ stage: 'training', step })));
    const first = readRollouts(run, 'training', 1);
    expect(first.map(({ group, sample }) => [group, sample])).toEqual(
      [0, 0, 0, 0, 1, 1, 1, 1].map((group, i) => [group, i % 4]),
    );
    const [log] = JSON.parse(
      fs.readFileSync(join(fixtures, 'trl/checkpoint-3/trainer_state.json'), 'utf8'),
    ).log_history;
    const [update] = readMetrics(run);
    expect(update).toMatchObject({
      stage: 'training',
      step: 1,
      loss: log.loss,
      gradNorm: log.grad_norm,
      lr: log.learning_rate,
      entropy: log.entropy,
      lengthMean: log['completions/mean_length'],
      truncated: log['completions/clipped_ratio'],
      parts: { accuracy_reward: log['rewards/accuracy_reward/mean'] },
    });
    const mean = first.reduce((sum, { reward }) => sum + reward!, 0) / first.length;
    expect(mean).toBeCloseTo(log.reward, 6);
    for (const record of first) {
      expect(Object.keys(record.parts)).toEqual(['accuracy_reward', 'brevity_reward']);
      expect(record.correct).toBe(record.parts.accuracy_reward === 1);
      expect(record.gold).toMatch(/^(19|24)$/);
      expect(record.question).toMatch(/^[A-Z].*\?$/);
      expect(record.prompt).toBe(`Question: ${record.question}\nSolution:`);
      expect(record.unit).toBeUndefined();
      expect(record.logProbs).toBeUndefined();
    }
    // The same prompt is the same problem in every update.
    const ids = (step: number) => readRollouts(run, 'training', step).map(({ problemId }) => problemId);
    expect(new Set([...ids(1), ...ids(2), ...ids(3)]).size).toBeLessThanOrEqual(3);
  });

  it("verl's dumps: rollouts are updates, validation dumps are tests with failure cases", async () => {
    const { folder: run, ...rest } = await bring('verl');
    expect(rest).toMatchObject({ updates: 2, completions: 16, tests: 1 });
    expect(rest.notes).toEqual([expect.stringContaining('--tokenizer')]);
    const [record] = readRollouts(run, 'training', 1);
    expect(record).toMatchObject({ unit: 'words', advantage: null, parts: { length: null } });
    expect(record.question).toMatch(/^[A-Z].*\?$/);
    expect(record.prompt).toBe(`user\n${record.question}\nassistant\n`);
    expect(evaluationNames(run)).toEqual(['training-3']);
    const answers = readEvaluation(run, 'training-3');
    const right = answers.filter(({ correct }) => correct).length;
    expect(readSummary(run)).toMatchObject([
      { stage: 'training', checkpoint: 'training-3', n: 8, accuracy: right / 8, unit: 'words' },
    ]);
    expect(readValidation(run)).toMatchObject([{ stage: 'training', step: 3, accuracy: right / 8, best: true }]);
    for (const { samples, question } of readFailures(run)) {
      expect(samples.every(({ correct }) => !correct)).toBe(true);
      expect(question).toMatch(/\?$/);
    }
  });

  it("NeMo-RL's lines give tokens with their log-probs if the student's tokenizer is available", async () => {
    const { folder: run, tests } = await bring('nemo-rl', { tokenizer: student });
    expect(tests).toBe(1);
    const [record] = readRollouts(run, 'training', 1);
    expect(record.logProbs).toHaveLength(record.tokens.length);
    expect(record.logProbs!.every((value) => value === -0.5)).toBe(true);
    expect(record.finished).toBe(true);
    const [{ completion }] = [
      JSON.parse(fs.readFileSync(join(fixtures, 'nemo-rl/train_data_step1.jsonl'), 'utf8').split('\n')[0]),
    ].map(({ content: [[, text]], advantages: [[advantage]] }) => ({ completion: { text, advantage } }));
    expect(record.tokenTexts.join('')).toBe(completion.text);
    expect(record.advantage).toBeCloseTo(completion.advantage, 9);
    expect(readEvaluation(run, 'training-2')).toHaveLength(8);
  });

  it("OpenRLHF's lines have no update and no verdict: they become the first update, and none is wrong", async () => {
    const { folder: run } = await bring('openrlhf.jsonl');
    expect(rolloutSteps(run)).toEqual([{ stage: 'training', step: 1 }]);
    expect(readRollouts(run, 'training', 1).map(({ correct }) => correct)).toEqual(Array(8).fill(null));
    expect(readMetrics(run)[0].accuracy).toBeUndefined();
  });

  it("takes wandb's tables, conversations, and columns by any name", async () => {
    const table = {
      columns: ['step', 'prompt', 'completion', 'format_reward', 'advantage'],
      data: [
        [
          7,
          [
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: '2 + 2?' },
          ],
          [{ role: 'assistant', content: '4' }],
          0.5,
          1,
        ],
        [
          7,
          [
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: '2 + 2?' },
          ],
          [{ role: 'assistant', content: '5' }],
          null,
          -1,
        ],
      ],
    };
    fs.writeFileSync(join(folder, 'completions_12_ab12.table.json'), JSON.stringify(table));
    const { folder: run } = await importOne(join(folder, 'completions_12_ab12.table.json'), {
      runsFolder: folder,
    });
    expect(readRollouts(run, 'training', 7)).toMatchObject([
      {
        prompt: 'system: Be brief.\n\nuser: 2 + 2?',
        question: '2 + 2?',
        tokenTexts: ['4', ''],
        reward: 0.5,
        parts: { format_reward: 0.5 },
        advantage: 1,
      },
      { tokenTexts: ['5', ''], reward: null, parts: { format_reward: null } },
    ]);
    fs.writeFileSync(join(folder, 'own.jsonl'), '{"q": "1 + 1?", "reply": "2", "ref": "2", "points": NaN}\n');
    const own = await importOne(join(folder, 'own.jsonl'), {
      runsFolder: folder,
      columns: { prompt: 'q', completion: 'reply', gold: 'ref', reward: 'points' },
    });
    expect(readRollouts(own.folder, 'training', 1)).toMatchObject([
      { gold: '2', reward: Number.NaN, answer: null, correct: false },
    ]);
  });

  it('reports errors with place and remedy; records read before stay', async () => {
    await expect(bring('nothing-here')).rejects.toMatchObject({ remedy: expect.stringContaining('rollout_data_dir') });
    fs.mkdirSync(join(folder, 'empty'));
    await expect(importRollouts(join(folder, 'empty'), { runsFolder: folder })).rejects.toThrow(
      'no rollouts in a known format',
    );
    const file = join(folder, 'broken.jsonl');
    fs.writeFileSync(file, '{"prompt": "a", "completion": "b", "step": 1}\n{"prompt": \n');
    await expect(importRollouts(file, { runsFolder: join(folder, 'runs') })).rejects.toMatchObject({ file, line: 2 });
    fs.writeFileSync(join(folder, 'columns.jsonl'), '{"x": 1}\n');
    await expect(importRollouts(join(folder, 'columns.jsonl'), { runsFolder: folder })).rejects.toMatchObject({
      message: 'no column holds the prompt',
      line: 1,
      remedy: expect.stringContaining('The columns are: x'),
    });
    const parquet = join(folder, 'completions_00001.parquet');
    fs.writeFileSync(
      parquet,
      fs.readFileSync(join(fixtures, 'trl/completions/completions_00001.parquet')).subarray(0, 3000),
    );
    await expect(importRollouts(parquet, { runsFolder: folder })).rejects.toMatchObject({ file: parquet });
  });

  it('skips an incomplete last line, with a note', async () => {
    const file = join(folder, 'torn.jsonl');
    fs.writeFileSync(file, '{"prompt": "a", "completion": "b", "step": 1}\n{"prompt": "a", "compl');
    const { completions, notes } = await importOne(file, { runsFolder: folder });
    expect([completions, notes.some((note) => note.includes('torn.jsonl:2'))]).toEqual([1, true]);
  });

  it('follows a folder that grows, and adds to the run later', async () => {
    const from = join(folder, 'verl');
    fs.mkdirSync(from);
    fs.copyFileSync(join(fixtures, 'verl/rollouts/1.jsonl'), join(from, '1.jsonl'));
    const stop = new AbortController();
    let run = '';
    const following = importOne(from, {
      runsFolder: join(folder, 'runs'),
      follow: stop.signal,
      progress: (told) => {
        run = told.run;
      },
    });
    const until = async (step: number) => {
      while (run === '' || !rolloutSteps(run).some((one) => one.step === step))
        await new Promise((r) => setTimeout(r, 50));
    };
    await until(1);
    expect(openRun(run)).toMatchObject({ record: { state: 'running' }, interrupted: false });
    const second = fs.readFileSync(join(fixtures, 'verl/rollouts/2.jsonl'), 'utf8').split('\n');
    fs.writeFileSync(join(from, '2.jsonl'), second.slice(0, 3).join('\n').slice(0, -5));
    await new Promise((r) => setTimeout(r, 500));
    fs.appendFileSync(
      join(from, '2.jsonl'),
      `${second.slice(0, 3).join('\n').slice(-5)}\n${second.slice(3).join('\n')}`,
    );
    await until(2);
    stop.abort();
    expect((await following).completions).toBe(16);
    expect(readRollouts(run, 'training', 2)).toHaveLength(8);
    expect(readMetrics(run).map(({ step }) => step)).toEqual([1, 2]);
    fs.cpSync(join(fixtures, 'verl/rollouts/2.jsonl'), join(from, '3.jsonl'));
    fs.writeFileSync(
      join(from, '3.jsonl'),
      fs.readFileSync(join(from, '3.jsonl'), 'utf8').replaceAll('"step": 2', '"step": 3'),
    );
    const more = await importOne(from, { runsFolder: folder, into: run });
    expect([more.completions, more.folder]).toEqual([8, run]);
    expect(rolloutSteps(run).map(({ step }) => step)).toEqual([1, 2, 3]);
  });
});

describe('stores and logs', () => {
  it("Trackio's store: a run for each of its runs, with curves, tables and traces", async () => {
    const file = join(fixtures, 'trackio', 'distillery.db');
    const before = fs.readFileSync(file);
    const runs = await importRollouts(file, { runsFolder: folder, tokenizer: student });
    expect(runs.map(({ updates, completions, notes }) => [updates, completions, notes])).toEqual([
      [3, 24, []],
      [2, 2, []],
    ]);
    const [trained, traced] = runs.map((run) => run.folder);
    const { folder: same } = await bring('trl', { tokenizer: student });
    const plain = (run: string) => readMetrics(run).map(({ time: _, seq: __, ...metrics }) => metrics);
    expect(plain(trained)).toEqual(plain(same));
    for (const step of [1, 2, 3]) {
      const [ours, theirs] = [trained, same].map((run) => readRollouts(run, 'training', step));
      expect(ours.map(({ advantage: _, parts: __, reward: ___, ...rest }) => rest)).toEqual(
        theirs.map(({ advantage: _, parts: __, reward: ___, ...rest }) => rest),
      );
    }
    expect(readMetrics(traced)).toMatchObject([
      { step: 1, loss: 0.5, reward: 0 },
      { step: 2, loss: 0.25, reward: 1 },
    ]);
    expect(readRollouts(traced, 'training', 2)).toMatchObject([
      { gold: '19', reward: 1, question: expect.stringMatching(/\?$/) },
    ]);
    expect(fs.readFileSync(file).equals(before)).toBe(true);
    expect(fs.existsSync(`${file}.lock`)).toBe(false);
  });

  it('reads a store whose write-ahead log is not merged yet, without changing it', async () => {
    const { Database } = await import('node-sqlite3-wasm');
    const file = join(folder, 'live.db');
    fs.copyFileSync(join(fixtures, 'trackio', 'distillery.db'), file);
    const bytes = fs.readFileSync(file);
    bytes.fill(2, 18, 20); // as `PRAGMA journal_mode=WAL` leaves it
    fs.writeFileSync(file, bytes);
    const db = new Database(file);
    db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA wal_autocheckpoint=0');
    db.exec(
      "INSERT INTO metrics(run_id, timestamp, run_name, step, metrics) VALUES ('new', '2030', 'new', 1, '{\"train/loss\": 2}')",
    );
    const state = () => [file, `${file}-wal`].map((one) => fs.readFileSync(one).toString('latin1'));
    const before = state();
    const runs = await importRollouts(file, { runsFolder: join(folder, 'runs') });
    expect(state()).toEqual(before);
    db.close();
    expect(runs).toHaveLength(3);
    expect(readMetrics(runs[2].folder)).toMatchObject([{ stage: 'training', step: 1, loss: 2 }]);
  });

  it('follows a store whose file does not grow while it is written to', async () => {
    const { Database } = await import('node-sqlite3-wasm');
    const file = join(folder, 'live.db');
    fs.copyFileSync(join(fixtures, 'trackio', 'distillery.db'), file);
    const log = (step: number) => {
      const db = new Database(file);
      db.exec(
        `INSERT INTO metrics(run_id, timestamp, run_name, step, metrics)
          SELECT run_id, '2030', run_name, ${step}, '{"train/loss": ${step}}' FROM metrics ORDER BY id LIMIT 1`,
      );
      db.close();
    };
    log(8); // makes a page, which the next one fits in
    const stop = new AbortController();
    const read = new Set<string>();
    const following = importRollouts(file, {
      runsFolder: join(folder, 'runs'),
      follow: stop.signal,
      progress: ({ share, run }) => {
        if (share === 1) read.add(run);
      },
    });
    while (read.size < 2) await new Promise((r) => setTimeout(r, 50));
    const { length } = fs.readFileSync(file);
    log(9);
    expect(fs.readFileSync(file)).toHaveLength(length);
    stop.abort();
    const [{ folder: run }] = await following;
    expect(readMetrics(run).slice(-2)).toMatchObject([
      { step: 8, loss: 8 },
      { step: 9, loss: 9 },
    ]);
  });

  it("Inspect's logs: a test of the model, with its wrong answers as failure cases", async () => {
    const { folder: run, ...counts } = await bring('inspect');
    expect(counts).toMatchObject({ format: 'logs of Inspect', tests: 1, completions: 0 });
    expect(openRun(run).record.name).toBe('inspect-pens-mockllm/model');
    expect(readSummary(run)).toMatchObject([
      { stage: 'base', n: 3, accuracy: 1 / 3, meanTokens: 50 / 3, truncated: 1 / 3 },
    ]);
    const [first, second, third] = readEvaluation(run, 'base');
    expect(first).toMatchObject({
      problemId: 'q0',
      gold: '19',
      answer: '21',
      correct: false,
      tokens: 21,
      finished: true,
    });
    expect([second.correct, third.finished, third.question]).toEqual([true, false, expect.stringContaining('barns')]);
    expect(readFailures(run).map(({ problemId, firstWrongStep }) => [problemId, firstWrongStep?.reason])).toEqual([
      ['q0', '6 * 4 is 24, not 26'],
      ['q2', undefined],
    ]);
  });

  it('names stores and logs that cannot be read', async () => {
    const cut = (name: string, from: string, bytes: number) => {
      fs.writeFileSync(join(folder, name), fs.readFileSync(join(fixtures, from)).subarray(0, bytes));
      return join(folder, name);
    };
    const eval1 = cut('cut.eval', 'inspect/pens.eval', 2000);
    await expect(importRollouts(eval1, { runsFolder: folder })).rejects.toMatchObject({
      file: eval1,
      remedy: expect.anything(),
    });
    const db = cut('cut.db', 'trackio/distillery.db', 9000);
    await expect(importRollouts(db, { runsFolder: folder })).rejects.toMatchObject({
      file: db,
      remedy: expect.anything(),
    });
  });
});
