/** A complete run on a test server of the Tinker API: real gradients, the real client. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadExperiment } from '../../src/config/load';
import { adjust } from '../../src/curriculum/adjust';
import { resumeRun, startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { startForInference } from '../../src/engine/engines';
import { TestServer } from '../../src/engine/tinker/testing/server';
import { loadStudent, saveStudent } from '../../src/model/hf-folder';
import { createModel } from '../../src/model/transformer';
import { packageRoot } from '../../src/paths';
import { openRun, readSummary } from '../../src/runs/reading';
import { parseModelConfig } from '../../src/student-files/config';
import { copyCompanions } from '../../src/student-files/folder';
import { tinyConfig } from '../../src/student-files/testing/tiny';

let folder: string;
let server: TestServer;
let whole: Awaited<ReturnType<typeof startRun>>;

beforeAll(async () => {
  folder = await tinyWorkspace();
  server = await TestServer.start(loadStudent(join(folder, 'student')).model);
  process.env.TINKER_BASE_URL = server.url;
  whole = await startRun(experiment(), join(folder, 'runs'), quiet);
});
afterAll(async () => {
  delete process.env.TINKER_BASE_URL;
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const quiet = { notify: () => {}, signal: new AbortController().signal };

const experiment = () =>
  tinyExperiment(folder, { backend: 'tinker', student: { path: 'student', lora: { rank: 4, dropout: 0 } } });

it('runs all stages, and records how the server behaves', async () => {
  const { folder: run, rows } = whole;
  expect(rows.map(({ stage }) => stage)).toEqual(
    expect.arrayContaining(['base', 'reconstruct', 'complete', 'rewrite', 'sft']),
  );
  const { environment } = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
  expect(environment.backend).toMatchObject({
    name: 'tinker',
    probed: { carrier: { loss: 'cross_entropy', divided: false } },
  });
  const { record } = openRun(run);
  expect(record.state).toBe('finished');
  const checkpoint = join(run, 'checkpoints', record.checkpoints.at(-1)!.name);
  expect(existsSync(join(checkpoint, 'remote.json'))).toBe(true);
  expect(existsSync(join(checkpoint, 'adapter_model.safetensors'))).toBe(true);
  // The adapter was downloaded, so that a question needs no server, whose probes take a minute.
  const engine = await startForInference('tinker', checkpoint);
  expect(engine.info.name).toBe('embedded');
  await (await engine.open(checkpoint, { lora: null, seed: 1 })).dispose();
  await engine.close();
});

it('runs the recipe of examples/gsm8k-qwen3-cluster with a small random Qwen3 and short answers', async () => {
  const recipe = join(folder, 'recipe');
  cpSync(join(packageRoot(), 'examples', 'gsm8k-qwen3-cluster'), recipe, { recursive: true });
  const { vocab_size } = JSON.parse(readFileSync(join(folder, 'student', 'config.json'), 'utf8'));
  const sizes = { vocab_size, max_position_embeddings: 32768, eos_token_id: 0 };
  const model = createModel(parseModelConfig(tinyConfig('qwen3', sizes)), 1);
  saveStudent(join(recipe, 'student'), model);
  rmSync(join(recipe, 'student', 'model.safetensors')); // the weights are the server's
  copyCompanions(join(folder, 'student'), join(recipe, 'student'));
  const row = (_: unknown, i: number) => {
    const question = `A crate holds ${i} jars, and another one 5. How many jars is that?`;
    return JSON.stringify({ question, answer: `It is ${i} + 5 = <<${i}+5=${i + 5}>>${i + 5} jars.\n#### ${i + 5}` });
  };
  mkdirSync(join(recipe, 'data'));
  for (const name of ['train', 'test'])
    writeFileSync(join(recipe, 'data', `${name}.jsonl`), `${Array.from({ length: 320 }, row).join('\n')}\n`);
  const file = join(recipe, 'gsm8k.distillery.json');
  const text = readFileSync(file, 'utf8')
    .replace(/"maxNewTokens": \d+/g, '"maxNewTokens": 16')
    .replace(/"updates": \d+/g, '"updates": 2');
  writeFileSync(file, text);
  const experiment = adjust(loadExperiment(file, { quick: true }).experiment, { limit: 8 });
  const other = await TestServer.start(model, { dropsClipping: true });
  process.env.TINKER_BASE_URL = other.url;
  try {
    const { folder: made } = await startRun(experiment, join(folder, 'runs'), quiet);
    expect(openRun(made).record.state).toBe('finished');
    const stages = readSummary(made).map(({ stage }) => stage);
    expect(stages).toEqual(['base', 'sft', 'reconstruct', 'complete', 'rewrite']);
  } finally {
    process.env.TINKER_BASE_URL = server.url;
    await other.stop();
  }
});

/** The folder of a run that was stopped after this update of Stage 2. */
async function stoppedRun(update: number): Promise<string> {
  const stop = new AbortController();
  let run = '';
  const stopped = startRun(experiment(), join(folder, 'runs'), {
    signal: stop.signal,
    onStart: (writer) => {
      run = writer.folder;
    },
    notify: (event) => {
      if (event.type === 'update' && event.stage === 'complete' && event.update === update) stop.abort();
    },
  });
  await expect(stopped).rejects.toThrow();
  return run;
}

it('stops and resumes with the same results', async () => {
  const run = await stoppedRun(2);
  const spent = (of: string) => openRun(of).record.spent!;
  const before = spent(run);
  await resumeRun(run, quiet);
  // The second session continues the counts of tokens.
  for (const kind of ['prompt', 'sampled', 'trained'] as const) {
    expect(before[kind]).toBeGreaterThan(0);
    expect(spent(run)[kind]).toBeGreaterThan(before[kind]);
    expect(spent(run)[kind]).toBeGreaterThanOrEqual(spent(whole.folder)[kind]);
  }
  const losses = (of: string) =>
    readFileSync(join(of, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ stage, step, loss }) => ({ stage, step, loss }));
  expect(losses(run)).toEqual(losses(whole.folder));
});

it('loses no record to a server that has lost the weights, and resumes on one that has them', async () => {
  const run = await stoppedRun(3);
  const { checkpoints } = openRun(run).record;
  // As after a crash: the last updates have records, but no checkpoint.
  const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
  writeFileSync(join(run, 'run.json'), JSON.stringify({ ...record, checkpoints: checkpoints.slice(0, -1) }));
  const records = () =>
    ['metrics.jsonl', 'rollouts/complete/3.jsonl'].map((name) => readFileSync(join(run, name), 'utf8'));
  const before = records();
  const empty = await TestServer.start(loadStudent(join(folder, 'student')).model);
  process.env.TINKER_BASE_URL = empty.url;
  try {
    await expect(resumeRun(run, quiet)).rejects.toThrow(/cannot load the weights of this checkpoint/);
    expect(records()).toEqual(before);
    expect(openRun(run).record.checkpoints).toEqual(checkpoints.slice(0, -1));
  } finally {
    process.env.TINKER_BASE_URL = server.url;
    await empty.stop();
  }
  await resumeRun(run, quiet);
  expect(openRun(run).record.state).toBe('finished');
});
