/** A disk that becomes full during any write of a run: the run waits, and loses nothing. */
import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CurriculumEvent, Stopped } from '../../src/curriculum/context';
import { startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { DiskFull } from '../../src/disk';
import { latestCheckpoint, openRun } from '../../src/runs/reading';
import { RunWriter } from '../../src/runs/writer';
import { withoutTimes } from './records';
import { mountSmallDisk, unmount } from './small-disk';

// Shorter waits; all else is real.
vi.mock('node:timers/promises', async (original) => {
  const { setTimeout: wait, ...rest } = await original<typeof import('node:timers/promises')>();
  return { ...rest, setTimeout: (ms: number, ...more: never[]) => wait(Math.min(ms, 5), ...more) };
});

const disk = mountSmallDisk('16m');
let folder = '';
let straight = '';
const signal = new AbortController().signal;
beforeAll(async () => {
  folder = await tinyWorkspace();
  straight = (await startRun(tinyExperiment(folder), join(folder, 'runs'), { notify: () => {}, signal })).folder;
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  unmount(disk);
});

/** The records of a run and the states of its checkpoints, without the times. */
function contents(run: string): string[] {
  const { record } = openRun(run);
  const files = ['metrics.jsonl', 'validation.jsonl', 'failures.jsonl', 'rewrites.jsonl', 'summary.json'];
  const states = record.checkpoints.map(({ name }) => join('checkpoints', name, 'state.json'));
  return [...files, ...states].map((file) => withoutTimes(readFileSync(join(run, file), 'utf8')));
}

const kinds = [
  'rollouts',
  'metrics',
  'validation',
  'failures',
  'rewrites',
  'evaluation',
  'summary',
  'update',
  'checkpoint',
] as const;

describe.skipIf(!disk)('a disk that is full within an update (needs root on Linux, to mount a small one)', () => {
  const rest = join(disk ?? '', 'rest');
  const fill = () => {
    const { bavail, bsize } = statfsSync(disk!);
    writeFileSync(rest, 'x'.repeat(bavail * bsize), { flag: 'a' });
  };

  it('during any write: training waits with its weights in memory, and ends with the same results', async () => {
    const tried = new Set<string>();
    for (const kind of kinds) {
      const original = RunWriter.prototype[kind] as (...args: unknown[]) => unknown;
      vi.spyOn(RunWriter.prototype, kind).mockImplementation(function (this: RunWriter, ...args: unknown[]) {
        if (!tried.has(kind)) fill();
        tried.add(kind);
        return original.apply(this, args) as never;
      });
    }
    const told: string[] = [];
    const notify = (event: CurriculumEvent) => {
      if (event.type !== 'note' || event.level !== 'warning') return;
      told.push(event.text);
      if (/is full/.test(event.text)) rmSync(rest);
    };
    const run = (await startRun(tinyExperiment(folder), join(disk!, 'runs'), { notify, signal })).folder;
    vi.restoreAllMocks();
    expect([...tried].sort()).toEqual([...kinds].sort());
    expect(told.filter((text) => /is full.*training waits/.test(text))).toHaveLength(kinds.length);
    expect(told.filter((text) => /there is space again/.test(text))).toHaveLength(kinds.length);
    expect(contents(run)).toEqual(contents(straight));
    rmSync(run, { recursive: true });
  });

  it('can be stopped while it waits: earlier checkpoints are complete', async () => {
    const stop = new AbortController();
    let run = '';
    const notify = (event: CurriculumEvent) => {
      if (event.type === 'checkpoint') fill();
      if (event.type === 'note' && /training waits/.test(event.text)) stop.abort(new Stopped());
    };
    const onStart = (writer: RunWriter) => {
      run = writer.folder;
    };
    const running = startRun(tinyExperiment(folder), join(disk!, 'runs'), { notify, onStart, signal: stop.signal });
    await expect(running).rejects.toThrow(DiskFull);
    rmSync(rest);
    expect(latestCheckpoint(openRun(run))).toMatchObject({ entry: { name: 'sft-0' }, skipped: [] });
  });
});
