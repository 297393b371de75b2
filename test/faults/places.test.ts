/** Unusual clocks, names and disks. */
import fs, { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { UserError } from '../../src/errors';
import { archivedRuns, archiveRun, restoreRun } from '../../src/runs/archive';
import { latestCheckpoint, listRuns, openRun, readMetrics } from '../../src/runs/reading';
import { createRun, openForWriting, type RunWriter } from '../../src/runs/writer';
import { mountSmallDisk, unmount } from './small-disk';

const disk = mountSmallDisk('4m');
afterAll(() => unmount(disk));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-places-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const day = 24 * 60 * 60 * 1000;
const update = (run: RunWriter, step: number) => run.metrics({ stage: 'complete', step, loss: 1 });

it('a clock that jumps: records keep their order, and the run can be resumed', async () => {
  const jumps = [0, 400, -900, 3650, 0].map((days) => Date.parse('2026-11-29T12:00:00Z') + days * day);
  let at = 0;
  const now = () => new Date(jumps[at]);
  const run = createRun(folder, 'jumping', {}, now);
  for (at = 0; at < jumps.length; at++) {
    update(run, at + 1);
    await run.checkpoint({ stage: 'complete', step: at + 1, state: {} }, () => {});
  }
  at = 2;
  run.close({ state: 'stopped' });
  const again = openForWriting(run.folder, now);
  again.rollBack(latestCheckpoint(openRun(run.folder))!.entry);
  update(again, 6);
  again.close({ state: 'finished' });
  expect(readMetrics(run.folder).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  const numbers = readMetrics(run.folder).map(({ seq }) => seq);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(openRun(run.folder).record.state).toBe('finished');
});

it('names of 255 bytes, in other scripts, and that differ only in case: each run has its own folder', () => {
  const names = ['x'.repeat(255), 'x'.repeat(300), '例'.repeat(85), '../../up', 'CON', 'Run', 'run', 'a/b\\c:d*?'];
  const now = () => new Date('2026-11-29T12:00:00Z');
  const made = names.map((name) => {
    const run = createRun(folder, name, {}, now);
    update(run, 1);
    run.close({ state: 'finished' });
    return run.folder;
  });
  expect(new Set(made.map((path) => path.toLowerCase())).size).toBe(names.length);
  expect(made.every((path) => join(folder, basename(path)) === path)).toBe(true);
  expect(
    listRuns(folder)
      .map((listed) => 'run' in listed && listed.run.record.name)
      .toSorted(),
  ).toEqual(names.toSorted());
});

it('a place goes away during a run: an error says so, nothing is written, and the run can be resumed', async () => {
  const run = createRun(join(folder, 'share'), 'away', {});
  update(run, 1);
  await run.checkpoint({ stage: 'complete', step: 1, state: {} }, () => {});
  renameSync(join(folder, 'share'), join(folder, 'unplugged'));
  expect(() => update(run, 2)).toThrow(UserError);
  expect(() => run.update({ state: 'paused' })).toThrow(UserError);
  expect(() => run.close({ state: 'stopped' })).toThrow(UserError);
  expect(existsSync(join(folder, 'share'))).toBe(false);
  renameSync(join(folder, 'unplugged'), join(folder, 'share'));
  expect(readMetrics(run.folder)).toHaveLength(1);
  expect(latestCheckpoint(openRun(run.folder))?.entry.step).toBe(1);
});

it.each(['EIO', 'ESTALE', 'ENOTCONN'])('a disk that answers %s: said so in words', (code) => {
  const run = createRun(folder, 'failing', {});
  update(run, 1);
  const write = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw Object.assign(new Error(`${code}: i/o error, write`), { code });
  });
  try {
    expect(() => update(run, 2)).toThrow(`the disk does not answer (${code}): every earlier line is kept`);
  } finally {
    write.mockRestore();
  }
  update(run, 2);
  expect(readMetrics(run.folder).map(({ step }) => step)).toEqual([1, 2]);
});

it('a slow disk only delays training', async () => {
  const [write, flush] = [fs.writeSync, fs.fsyncSync];
  const late = <T>(work: () => T): T => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    return work();
  };
  vi.spyOn(fs, 'writeSync').mockImplementation(((...args: Parameters<typeof write>) =>
    late(() => write(...args))) as never);
  vi.spyOn(fs, 'fsyncSync').mockImplementation((handle) => late(() => flush(handle)));
  try {
    const run = createRun(folder, 'slow', {});
    for (let step = 1; step < 6; step++) update(run, step);
    await run.checkpoint({ stage: 'complete', step: 5, state: {} }, () => {});
    run.close({ state: 'finished' });
    expect(readMetrics(run.folder).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    expect(latestCheckpoint(openRun(run.folder))?.entry.step).toBe(5);
  } finally {
    vi.restoreAllMocks();
  }
});

it.skipIf(!disk)('runs on another file system than their archive are moved there and back', () => {
  mkdirSync(join(folder, '.distillery'));
  const runs = join(folder, '.distillery', 'runs');
  symlinkSync(disk!, runs);
  const run = createRun(runs, 'far', {});
  update(run, 1);
  run.close({ state: 'finished' });
  const archived = archiveRun(run.folder);
  expect(archivedRuns(runs)).toEqual([archived]);
  expect([readMetrics(archived).length, existsSync(run.folder)]).toEqual([1, false]);
  restoreRun(archived, run.folder);
  expect(readMetrics(run.folder)).toHaveLength(1);
  expect(readdirSync(join(folder, '.distillery', 'archive'))).toEqual([]);
  expect(readdirSync(disk!)).toEqual([basename(run.folder)]);
});

it('a folder that was copied elsewhere with its lock can be resumed there', async () => {
  const run = createRun(folder, 'copied', {});
  update(run, 1);
  await run.checkpoint({ stage: 'complete', step: 1, state: {} }, () => {});
  run.close({ state: 'stopped' });
  const copy = join(folder, 'elsewhere', 'copy');
  cpSync(run.folder, copy, { recursive: true });
  const there = openForWriting(copy);
  update(there, 2);
  there.close({ state: 'finished' });
  expect([readMetrics(copy).length, readMetrics(run.folder).length]).toEqual([2, 1]);
});
