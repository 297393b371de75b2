/**
 * The PyTorch engine beside the embedded one. It needs a Python with torch, transformers and peft, which
 * DISTILLERY_PYTHON names; `npm run test:torch` fetches one. `npm run test:engines` also kills engine and host at
 * random places.
 */

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExperiment } from '../../src/config/load';
import type { LoraSettings } from '../../src/config/lora';
import { adjust } from '../../src/curriculum/adjust';
import type { CurriculumEvent } from '../../src/curriculum/context';
import { resumeRun, startRun } from '../../src/curriculum/session';
import { tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { startEngine, startForInference } from '../../src/engine/engines';
import type { Engine, Student } from '../../src/engine/port';
import type { ProcessEngine } from '../../src/engine/process/engine';
import type { GrpoOptions } from '../../src/engine-data/training';
import { installEngine } from '../../src/engine-install/install';
import { UserError } from '../../src/errors';
import { plainGrpo } from '../../src/learning/testing/settings';
import { packageRoot } from '../../src/paths';
import { isProcess } from '../../src/processes';
import { openRun, readMetrics, readSummary } from '../../src/runs/reading';
import { rejection } from '../../src/testing/errors';
import { experimentToBeKilled } from './to-be-killed';

const python = process.env.DISTILLERY_PYTHON;
if (!python) process.stderr.write('PyTorch engine: NOT RUN, DISTILLERY_PYTHON names no Python with it\n');
/** How often each is killed. */
const kills = Number(process.env.DISTILLERY_KILLS ?? 1);

const home = mkdtempSync(join(tmpdir(), 'distillery-engine-'));
let folder = '';

beforeAll(async () => {
  if (!python) return;
  process.env.DISTILLERY_ENGINE_HOME = home;
  process.env.OMP_NUM_THREADS = '1';
  folder = await tinyWorkspace();
  const made = await installEngine({ python, vllm: false, accelerator: 'cpu' }, async () => false, {
    progress: () => {},
  });
  expect(made).toMatchObject({ own: true, python });
}, 240_000);
afterAll(() => {
  delete process.env.DISTILLERY_ENGINE_HOME;
  for (const scratch of [home, folder].filter(Boolean)) rmSync(scratch, { recursive: true, force: true });
});

const settings = { weightDecay: 0.01, maxGradNorm: 1, dropout: 0, microBatchTokens: 64 };
const grpo: GrpoOptions = {
  ...plainGrpo,
  ...settings,
  loss: 'dapo',
  beta: 0.05,
  temperature: 0.9,
  maxNewTokens: 12,
  iterations: 2,
};
const prompts = [
  [5, 6, 7, 8],
  [9, 10, 11],
  [12, 5],
];
const drawn = {
  sampling: { temperature: 0.9, topK: 0, topP: 1, minP: 0 },
  maxNewTokens: 12,
  eosIds: [0],
  seed: 3,
  groupSize: 2,
};
/** Values of tokens that agree to three digits. */
function expectNear(found: readonly Float32Array[], expected: readonly Float32Array[]): void {
  const near = expected.map((row) => Array.from(row, (value) => expect.closeTo(value, 3)));
  expect(found.map((row) => Array.from(row))).toEqual(near);
}

/** A supervised and a GRPO update, with their measures, on `completions` or, by default, on sampled ones. */
async function learn(student: Student, completions?: number[][]) {
  const sampled = await student.sample(prompts, drawn);
  const tokens = completions ?? sampled.completions.map(({ tokens }) => tokens);
  const examples = tokens.map((completion, i) => ({ prompt: prompts[Math.floor(i / 2)], completion }));
  const before = await student.logProbs(examples, { temperature: 0.9, microBatchTokens: 64 });
  const reference = await student.snapshot();
  const supervised = await student.supervisedStep(examples, { ...settings, learningRate: 1e-3, seed: 1 });
  const episodes = examples.map((example, i) => ({
    ...example,
    logProbs: before[i].logProbs,
    advantage: i % 2 === 0 ? 1 : -0.5,
    masked: i === 3,
  }));
  const update = { episodes, replay: examples.slice(0, 2), reference, learningRate: 1e-3, seed: 2 };
  const { perToken, ...measures } = await student.grpoStep(update, grpo);
  const after = await student.logProbs(examples, { temperature: 1, microBatchTokens: 64 });
  return { tokens, before, supervised, measures, perToken, after, step: student.optimizerStep };
}

describe.skipIf(!python)('the PyTorch engine', () => {
  let engines: [Engine, Engine];
  beforeAll(async () => {
    engines = [await startEngine('embedded'), await startEngine('torch')];
  });
  afterAll(() => Promise.all(engines?.map((engine) => engine.close()) ?? []));

  it.each<[string, LoraSettings | null]>([
    ['all weights', null],
    ['an adapter', { rank: 4, alpha: 8, dropout: 0, targets: ['q', 'v', 'down'] }],
  ])('learns as the embedded engine does, and each continues from the other: %s', async (name, lora) => {
    const [ours, theirs] = await Promise.all(
      engines.map((engine) => engine.open(join(folder, 'student'), { lora, seed: 7 })),
    );
    expect(theirs.facts).toEqual(ours.facts);
    const expected = await learn(ours);
    const found = await learn(theirs, expected.tokens);
    for (const key of ['before', 'after'] as const) {
      for (const what of ['logProbs', 'entropy'] as const)
        expectNear(
          found[key].map((one) => one[what]),
          expected[key].map((one) => one[what]),
        );
    }
    expectNear(found.perToken.refLogProbs!, expected.perToken.refLogProbs!);
    expect(found.step).toBe(expected.step);
    // `tokens` differs: the embedded engine reads the prompt of a group once.
    const { tokens: _, ...measures } = { ...expected.supervised, ...expected.measures };
    for (const [key, value] of Object.entries(measures))
      expect({ ...found.supervised, ...found.measures }[key], key).toBeCloseTo(value as number, 3);

    // Each loads the checkpoint of the other, with the optimizer's moments, and learns the same from there.
    const file = join(folder, `from-torch-${name.replace(' ', '-')}`);
    await theirs.save(file, { moments: true, eosIds: [0] });
    const again = await engines[0].open(join(folder, 'student'), { lora, seed: 1 });
    await again.load(file, { moments: true, step: theirs.optimizerStep });
    const asked = await engines[0].open(file, { lora: null, seed: 1 });
    const greedy = { ...drawn, sampling: { temperature: 0, topK: 0, topP: 1, minP: 0 } };
    const answers = await Promise.all([asked, theirs].map((one) => one.sample(prompts, greedy)));
    expect(answers[0].completions.map(({ tokens }) => tokens)).toEqual(
      answers[1].completions.map(({ tokens }) => tokens),
    );
    const goneOn = await learn(again, expected.tokens);
    const { after } = await learn(theirs, expected.tokens);
    expectNear(
      goneOn.after.map((one) => one.logProbs),
      after.map((one) => one.logProbs),
    );
    const back = join(folder, `from-embedded-${name.replace(' ', '-')}`);
    await again.save(back, { moments: true, eosIds: [0] });
    await theirs.load(back, { moments: true, step: again.optimizerStep });
    expect(theirs.optimizerStep).toBe(again.optimizerStep);
  });

  it.each<[string, (student: string) => void]>([
    ['weights that are cut off', (student) => truncateSync(join(student, weights), 5000)],
    ['weights that end in NULs', (student) => edit(student, (bytes) => bytes.fill(0, bytes.length - 6000))],
    ['weights that are not numbers', (student) => edit(student, (bytes, start) => bytes.fill(0xff, start, start + 8))],
    ['no weights but a pickle', (student) => renameSync(join(student, weights), join(student, 'pytorch_model.bin'))],
    [
      'a pipe as config.json',
      (student) => {
        rmSync(join(student, 'config.json'));
        execFileSync('mkfifo', [join(student, 'config.json')]);
      },
    ],
    [
      'a pickle as adapter',
      (student) => {
        writeFileSync(join(student, 'adapter_config.json'), '{"base_model_name_or_path": "../student"}');
        writeFileSync(join(student, 'adapter_model.bin'), '');
      },
    ],
  ])('a damaged student is refused as by the embedded engine: %s', async (_, damage) => {
    const student = join(folder, 'damaged');
    rmSync(student, { recursive: true, force: true });
    cpSync(join(folder, 'student'), student, { recursive: true });
    damage(student);
    const opened = (engine: Engine) => rejection(UserError, engine.open(student, { lora: null, seed: 1 }));
    const [ours, theirs] = await Promise.all(engines.map(opened));
    expect([theirs.message, theirs.file, theirs.remedy]).toEqual([ours.message, ours.file, ours.remedy]);
    expect(theirs.remedy).toBeTruthy();
  });

  it.each([
    [{ num_hidden_layers: 9 }, /^The weights lack /],
    [{ num_hidden_layers: 1 }, /config\.json leaves no place for/],
    [{ hidden_size: 48 }, /shape|mismatch/],
  ])('a damaged student is refused by both engines: the config.json with %j', async (changes, message) => {
    const student = join(folder, 'damaged');
    rmSync(student, { recursive: true, force: true });
    cpSync(join(folder, 'student'), student, { recursive: true });
    const file = join(student, 'config.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...changes }));
    for (const engine of engines)
      expect(await rejection(UserError, engine.open(student, { lora: null, seed: 1 }))).toMatchObject({
        message: expect.stringMatching(message),
        file: student,
        remedy: expect.stringContaining('config.json'),
      });
  });

  it('runs all stages; killed at random times, it resumes from its checkpoints with the same numbers', async () => {
    const whole = await wholeRun();
    const updates = readMetrics(whole).length;
    for (let i = 0; i < kills; i++) {
      const at = 1 + Math.floor(Math.random() * (updates - 1));
      const delay = Math.random() * secondsOfAnUpdate(whole);
      const made = await run(async (engine, count) => {
        const { pid } = engine;
        if (count !== at || !pid) return;
        await sleep(1000 * delay);
        if (isProcess(pid)) process.kill(pid, 'SIGKILL');
      });
      expect(openRun(made).record.state).toBe('finished');
      expect(recorded(made), `killed ${delay} s after update ${at}`).toEqual(recorded(whole));
    }
    // The embedded engine, which answers questions, loads its checkpoints, too.
    const tested = readSummary(whole).find(({ stage }) => stage === 'complete')!.checkpoint!;
    const engine = await startForInference('torch', join(whole, 'checkpoints', tested));
    expect(engine.info.name).toBe('embedded');
    await (await engine.open(join(whole, 'checkpoints', tested), { lora: null, seed: 1 })).dispose();
    await engine.close();
  });

  it('runs the recipe of examples/gsm8k-qwen2.5 with a small random Qwen2 and short answers', async () => {
    const recipe = join(folder, 'recipe');
    cpSync(join(packageRoot(), 'examples', 'gsm8k-qwen2.5'), recipe, { recursive: true });
    mkdirSync(join(recipe, 'data'));
    const row = (_: unknown, i: number) => {
      const question = `A crate holds ${i} jars, and another one 5. How many jars is that?`;
      return JSON.stringify({ question, answer: `It is ${i} + 5 = <<${i}+5=${i + 5}>>${i + 5} jars.\n#### ${i + 5}` });
    };
    for (const name of ['train', 'test'])
      writeFileSync(join(recipe, 'data', `${name}.jsonl`), `${Array.from({ length: 320 }, row).join('\n')}\n`);
    const file = join(recipe, 'gsm8k.distillery.json');
    const text = readFileSync(file, 'utf8')
      .replace('"path": "Qwen/Qwen2.5-3B"', '"path": "../student"')
      .replace('"rank": 16', '"rank": 4')
      .replace(/"maxNewTokens": \d+/g, '"maxNewTokens": 16')
      .replace(/"updates": \d+/g, '"updates": 2');
    writeFileSync(file, text);
    const experiment = adjust(loadExperiment(file, { quick: true }).experiment, { limit: 8 });
    const { folder: made } = await startRun(experiment, join(folder, 'runs'), quiet);
    expect(openRun(made).record.state).toBe('finished');
    const stages = readSummary(made).map(({ stage }) => stage);
    expect(stages).toEqual(['base', 'sft', 'reconstruct', 'complete', 'rewrite']);
    const { checkpoint } = readSummary(made).at(-1)!;
    const adapter = JSON.parse(readFileSync(join(made, 'checkpoints', checkpoint!, 'adapter_config.json'), 'utf8'));
    expect(adapter).toMatchObject({ peft_type: 'LORA', r: 4 });
  });

  it('ends when its host is killed, and the run is resumed with the same numbers', async () => {
    const whole = await wholeRun();
    for (let i = 0; i < kills; i++) {
      const { made, engine } = await killedAt(1 + Math.floor(Math.random() * 8), secondsOfAnUpdate(whole));
      expect(openRun(made).interrupted).toBe(true);
      while (isProcess(engine)) await sleep(50);
      await resumeRun(made, quiet);
      expect(recorded(made)).toEqual(recorded(whole));
    }
  });
});

const weights = 'model.safetensors';

/** Changes the bytes of the weights; those of the first tensor begin at `start`. */
function edit(student: string, change: (bytes: Buffer, start: number) => Buffer): void {
  const bytes = readFileSync(join(student, weights));
  writeFileSync(join(student, weights), change(bytes, 8 + Number(bytes.readBigUInt64LE())));
}

const quiet = { notify: () => {}, signal: new AbortController().signal };

let whole: Promise<string> | undefined;

/** The uninterrupted run. */
function wholeRun(): Promise<string> {
  whole ??= run();
  return whole;
}

/** A run of all stages; `updated` is called after each update with their number so far. Returns its folder. */
async function run(updated?: (engine: ProcessEngine, count: number) => unknown): Promise<string> {
  let engine: ProcessEngine | undefined;
  let count = 0;
  const notify = (event: CurriculumEvent) => {
    if (event.type === 'update' && engine) updated?.(engine, ++count);
  };
  const onStart = (_: unknown, started: Engine) => {
    engine = started as ProcessEngine;
  };
  const experiment = experimentToBeKilled(folder);
  return (await startRun(experiment, join(folder, 'runs'), { ...quiet, notify, onStart })).folder;
}

/** Mean seconds of an update of an uninterrupted run, with the evaluations and checkpoints between updates. */
function secondsOfAnUpdate(run: string): number {
  const times = readMetrics(run).map(({ time }) => Date.parse(time) / 1000);
  return (times.at(-1)! - times[0]) / (times.length - 1);
}

/** Starts a run in a separate process and kills it after this many updates, at a random time within the next. */
async function killedAt(updates: number, seconds: number): Promise<{ made: string; engine: number }> {
  const program = join(packageRoot(), 'test', 'engines', 'run-to-be-killed.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let first: { folder: string; engine: number } | undefined;
  let seen = 0;
  for await (const line of createInterface(child.stdout)) {
    const said = JSON.parse(line);
    first ??= said;
    if (said.update && ++seen === updates) setTimeout(() => child.kill('SIGKILL'), 1000 * seconds * Math.random());
  }
  return { made: first!.folder, engine: first!.engine };
}

/** The records of a run without times, which differ between equal runs. */
function recorded(run: string) {
  const metrics = readMetrics(run).map(({ time: _, tokensPerSecond: __, ...rest }) => rest);
  const rows = readSummary(run).map(({ wallSeconds: _, tokensPerSecond: __, ...rest }) => rest);
  return { metrics, rows };
}
