import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CurriculumEvent } from '../../src/curriculum/context';
import { startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { askForEngine } from '../../src/engine/process/installed';
import { packageRoot } from '../../src/paths';
import { openRun, readMetrics, readRollouts, readSummary } from '../../src/runs/reading';
import { askFor } from './ask';

const program = join(packageRoot(), 'test', 'engines', 'fake-engine.mjs');
let folder = '';

beforeAll(async () => {
  folder = await tinyWorkspace();
}, 120_000);
afterEach(() => askForEngine(undefined));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A run of all stages on an engine with these faults. */
async function run(...faults: string[]) {
  askFor(process.execPath, program, ...faults);
  const notes: string[] = [];
  const notify = (event: CurriculumEvent) => {
    if (event.type === 'note') notes.push(event.text);
  };
  let made = '';
  const onStart = (writer: { folder: string }) => {
    made = writer.folder;
  };
  const signal = new AbortController().signal;
  const experiment = tinyExperiment(folder, { backend: 'torch' });
  const ended = startRun(experiment, join(folder, 'runs'), { notify, signal, onStart });
  const error = await ended.then(() => null).catch((error) => error);
  return { made, error, notes };
}

/** The records of a run without times, which differ between equal runs. */
function recorded(run: string) {
  const metrics = readMetrics(run).map(({ time: _, tokensPerSecond: __, ...rest }) => rest);
  const rows = readSummary(run).map(({ wallSeconds: _, tokensPerSecond: __, ...rest }) => rest);
  const rollouts = [1, 2, 3].map((step) => readRollouts(run, 'complete', step));
  return { metrics, rows, rollouts };
}

describe('a run on an engine in a process', () => {
  it('records the engine, and ends its process', async () => {
    const { made, error } = await run();
    expect(error).toBeNull();
    const { environment } = JSON.parse(readFileSync(join(made, 'config.json'), 'utf8'));
    expect(environment.backend).toMatchObject({ name: 'torch', description: 'fake-engine 0 on the CPU' });
    expect(() => process.kill(Number(environment.backend.versions.pid), 0)).toThrow();
  });

  it('resumes from the newest checkpoint when the engine is lost, with the same numbers', async () => {
    const whole = await run();
    const marks = ['baseline', 'first', 'second', 'check', 'third'].map((name) => join(folder, name));
    const { made, error, notes } = await run(
      `exit@supervisedStep:2=${marks[0]}`,
      `garbage@supervisedStep:3=${marks[1]}`,
      `torn@grpoStep:3=${marks[2]}`,
      `exit@save:2=${marks[3]}`,
      `exit@sample:9=${marks[4]}`,
    );
    expect(error).toBeNull();
    expect(notes.filter((text) => text.includes('the engine is lost')).length).toBeGreaterThanOrEqual(3);
    expect(notes.find((text) => text.includes('is lost'))).toMatch(
      /it ended with exit code 3; it is restarted \(1 of 3\), and the run resumes from checkpoint sft-\d/,
    );
    expect(openRun(made).record.state).toBe('finished');
    expect(recorded(made)).toEqual(recorded(whole.made));
  });

  it('fails when the engine is lost repeatedly, and keeps its files', async () => {
    const { made, error, notes } = await run('exit@supervisedStep');
    expect(error).toMatchObject({ name: 'EngineLost', code: 'engine' });
    expect(notes.filter((text) => text.includes('it is restarted'))).toHaveLength(3);
    const { state, reason, checkpoints } = openRun(made).record;
    expect([state, reason]).toEqual(['failed', 'the engine is lost: it ended with exit code 3']);
    expect(checkpoints.length).toBeGreaterThan(0);
  });

  it('fails with a remedy when the engine has no memory, or when none is set up', async () => {
    const { error } = await run('memory@grpoStep');
    expect(error).toMatchObject({ code: 'memory', message: expect.stringContaining('0 bytes left') });
    process.env.DISTILLERY_ENGINE_HOME = join(folder, 'nothing');
    askForEngine(undefined);
    const signal = new AbortController().signal;
    const refused = startRun(tinyExperiment(folder, { backend: 'torch' }), join(folder, 'none'), {
      notify: () => {},
      signal,
    });
    await expect(refused).rejects.toMatchObject({
      message: 'no PyTorch engine is set up here',
      remedy: expect.stringContaining('`distillery engine install`'),
    });
    delete process.env.DISTILLERY_ENGINE_HOME;
  });

  it('is what `auto` selects for a family that the embedded engine does not support, with a note', async () => {
    const file = join(folder, 'student', 'config.json');
    const config = readFileSync(file, 'utf8');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(config), model_type: 'gemma2' }));
    try {
      askFor(process.execPath, program);
      const notes: string[] = [];
      const notify = (event: CurriculumEvent) => event.type === 'note' && notes.push(event.text);
      const experiment = tinyExperiment(folder, { baselines: { sft: false } });
      const { folder: made } = await startRun(
        { ...experiment, stages: { ...experiment.stages, complete: false, rewrite: false } },
        join(folder, 'runs'),
        { notify, signal: new AbortController().signal },
      );
      expect(notes).toContain(
        "the embedded engine does not support the student's family, so fake-engine 0 on the CPU is used",
      );
      expect(openRun(made).record.state).toBe('finished');
    } finally {
      writeFileSync(file, config);
    }
  });
});
