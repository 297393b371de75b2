import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { python } from '../../scripts/peers/python';
import { packageRoot } from '../../src/paths';
import { createRun } from '../../src/runs/writer';
import { eventFiles } from '../../src/tracking/event-files';

const interpreter = python(['tensorboard']);
if (!interpreter)
  process.stderr.write('NOT RUN: event files read by TensorBoard, as there is no Python with tensorboard\n');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tensorboard-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Event = [step: number, value: number | string, seconds: number];

describe.runIf(interpreter)('event files', () => {
  it("contain the run's records for TensorBoard's own reader", () => {
    const times = ['2026-02-05T00:00:00.250Z', '2026-02-05T00:00:01.500Z', '2026-02-05T00:05:00.000Z'];
    let clock = 0;
    const run = createRun(join(folder, 'runs'), 'mine', {}, () => new Date(times[Math.min(clock, 2)]));
    const metrics = [
      { stage: 'reconstruct' as const, step: 1, loss: 2.5, lr: 1e-5 },
      { stage: 'complete' as const, phase: 'complete', step: 1, reward: 0.25, parts: { 'ünïcode/part': -1 } },
      {
        stage: 'complete' as const,
        phase: 'internalise',
        step: 40000,
        loss: Number.NaN,
        gradNorm: Number.POSITIVE_INFINITY,
      },
    ];
    for (const update of metrics) {
      run.metrics(update);
      clock++;
    }
    run.validation({ stage: 'complete', step: 2, accuracy: 0.5, best: true });
    run.summary({ stage: 'complete', accuracy: 0.75, accuracyInterval: [0, 1], meanTokens: 12, n: 4, wallSeconds: 1 });
    run.close({ state: 'finished' });
    for (const [name, bytes] of eventFiles(run.folder)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    }
    const read = (stage: string) => {
      const script = join(packageRoot(), 'scripts', 'peers', 'read_events.py');
      return JSON.parse(execFileSync(interpreter!, [script, join(folder, stage)], { encoding: 'utf8' })) as Record<
        string,
        Event[]
      >;
    };
    const seconds = times.map((time) => Date.parse(time) / 1000);
    expect(read('reconstruct')).toEqual({
      loss: [[1, 2.5, seconds[0]]],
      lr: [[1, Math.fround(1e-5), seconds[0]]],
    });
    expect(read('complete')).toEqual({
      reward: [[1, 0.25, seconds[1]]],
      'parts/ünïcode/part': [[1, -1, seconds[1]]],
      'internalise/loss': [[40000, 'nan', seconds[2]]],
      'internalise/gradNorm': [[40000, 'inf', seconds[2]]],
      'validation/accuracy': [[2, 0.5, seconds[2]]],
      'test/accuracy': [[40000, 0.75, seconds[2]]],
      'test/meanTokens': [[40000, 12, seconds[2]]],
    });
  }, 120_000);
});
