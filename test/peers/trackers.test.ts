/** Metrics sent to the real clients of Trackio and W&B, offline, and read where these keep them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { python } from '../../scripts/peers/python';
import { trackioEntries, trackioRuns } from '../../src/imports/trackio';
import { packageRoot } from '../../src/paths';
import { createRun, type RunWriter } from '../../src/runs/writer';
import { type PythonTracker, sendRun } from '../../src/tracking/send';

const clients = { trackio: python(['trackio']), wandb: python(['wandb']) };
for (const [name, found] of Object.entries(clients))
  if (!found) process.stderr.write(`NOT RUN: metrics sent to ${name}, as there is no Python with ${name}\n`);

let folder = '';
let run: RunWriter;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trackers-'));
  for (const [name, value] of [
    ['TRACKIO_DIR', join(folder, 'trackio')],
    ['HOME', folder],
    // Settings that would send it away without --online.
    ['TRACKIO_SERVER_URL', 'http://127.0.0.1:9'],
    ['WANDB_MODE', 'online'],
    ['WANDB_BASE_URL', 'http://127.0.0.1:9'],
  ])
    vi.stubEnv(name, value);
  run = createRun(join(folder, 'runs'), 'my run', { experiment: { seed: 7 } });
});
afterEach(() => {
  vi.unstubAllEnvs();
  run.close({ state: 'stopped' });
  rmSync(folder, { recursive: true, force: true });
});

/** Sends a run that grows by an update between two looks, ends, and is sent a second time. */
async function sendTwice(tracker: PythonTracker): Promise<number[]> {
  run.metrics({ stage: 'reconstruct', step: 1, loss: 2.5 });
  const options = { folder, online: false, python: clients[tracker]! };
  let looks = 0;
  const grow = async () => {
    if (looks++ > 0) return false;
    run.metrics({ stage: 'complete', step: 1, reward: Number.NaN, parts: { correctness: 0.5 } });
    run.validation({ stage: 'complete', step: 1, accuracy: 0.25, best: true });
    const interval: [number, number] = [0, 1];
    run.summary({
      stage: 'reconstruct',
      accuracy: 0.75,
      accuracyInterval: interval,
      meanTokens: 9,
      n: 4,
      wallSeconds: 1,
    });
    return true;
  };
  const first = await sendRun(run.folder, tracker, { ...options, follow: true, next: grow });
  return [first, await sendRun(run.folder, tracker, { ...options, follow: false, next: async () => false })];
}

describe('a run that grows', () => {
  it.runIf(clients.trackio)(
    'is in the local store of Trackio, once',
    async () => {
      expect(await sendTwice('trackio')).toEqual([4, 0]);
      const file = join(folder, 'trackio', 'my-run.db');
      const found: Record<string, unknown> = {};
      for (const one of await trackioRuns(file))
        found[one.name.replace(run.record.id, '')] = (await trackioEntries(file, one)).map(({ step, metrics }) => [
          step,
          metrics,
        ]);
      expect(found).toEqual({
        '-reconstruct': [
          [1, { loss: 2.5 }],
          [1, { 'test/accuracy': 0.75, 'test/meanTokens': 9 }],
        ],
        '-complete': [
          [1, { reward: 'NaN', 'parts/correctness': 0.5 }],
          [1, { 'validation/accuracy': 0.25 }],
        ],
      });
    },
    120_000,
  );

  it.runIf(clients.wandb)(
    'is in files of W&B that are uploaded later, once',
    async () => {
      expect(await sendTwice('wandb')).toEqual([4, 0]);
      const script = join(packageRoot(), 'scripts', 'peers', 'read_wandb.py');
      const runs = JSON.parse(execFileSync(clients.wandb!, [script, folder], { encoding: 'utf8' }));
      const [project, group] = ['my-run', run.record.id];
      const stage = (name: string, ...history: object[]) => ({ id: `${group}-${name}`, project, group, history });
      expect(runs).toHaveLength(3);
      expect(runs).toEqual(
        expect.arrayContaining([
          stage('reconstruct', { update: 1, loss: 2.5 }),
          stage(
            'complete',
            { update: 1, reward: 'NaN', 'parts/correctness': 0.5 },
            { update: 1, 'validation/accuracy': 0.25 },
          ),
          stage('reconstruct', { update: 1, 'test/accuracy': 0.75, 'test/meanTokens': 9 }),
        ]),
      );
    },
    120_000,
  );
});

it('a Python without the client is refused, with what to install', async () => {
  const options = { folder, online: false, python: join(folder, 'no-python'), follow: false, next: async () => false };
  await expect(sendRun(run.folder, 'wandb', options)).rejects.toMatchObject({
    message: 'this Python has no wandb',
    remedy: expect.stringContaining('pip install wandb'),
  });
  expect(() => readFileSync(join(run.folder, 'tracked', 'wandb.json'))).toThrow('ENOENT');
});
