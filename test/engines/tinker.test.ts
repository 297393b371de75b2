/** A complete run on a test server of the Tinker API: real gradients, the real client. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { resumeRun, startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { startToAsk } from '../../src/engine/engines';
import { TestServer } from '../../src/engine/tinker/testing/server';
import { loadStudent } from '../../src/model/hf-folder';
import { openRun } from '../../src/runs/reading';

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
  const engine = await startToAsk('tinker', checkpoint);
  expect(engine.info.name).toBe('embedded');
  await (await engine.open(checkpoint, { lora: null, seed: 1 })).dispose();
  await engine.close();
});

it('stops and resumes with the same results', async () => {
  const stop = new AbortController();
  let run = '';
  const stopped = startRun(experiment(), join(folder, 'runs'), {
    signal: stop.signal,
    onStart: (writer) => {
      run = writer.folder;
    },
    notify: (event) => {
      if (event.type === 'update' && event.stage === 'complete' && event.update === 2) stop.abort();
    },
  });
  await expect(stopped).rejects.toThrow();
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
