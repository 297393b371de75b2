import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { latestCheckpoint, openRun, readMetrics, readRollouts } from '../../src/runs/reading';
import { Space } from '../../src/runs/space';
import { newRollout } from '../../src/runs/testing/rollout';
import { createRun, openForWriting } from '../../src/runs/writer';
import { mountSmallDisk, unmount } from './small-disk';

const disk = mountSmallDisk('256k');
const larger = mountSmallDisk('8m');
afterAll(() => [disk, larger].forEach(unmount));

describe.skipIf(!disk)(
  'a disk that fills up (needs root on Linux, to mount a small one; src/runs/jsonl.test.ts simulates it)',
  () => {
    it('keeps every record and the last checkpoint, says so, and continues when there is space', async () => {
      const run = createRun(disk!, 'full', {});
      const rollout = newRollout({ prompt: 'x'.repeat(10_000) });
      const save = (step: number, size: number) =>
        run.checkpoint({ stage: 'complete', step, state: {} }, (folder) =>
          writeFileSync(join(folder, 'model.safetensors'), 'w'.repeat(size)),
        );
      run.metrics({ stage: 'complete', step: 1, loss: 1 });
      await save(1, 50_000);
      await expect(save(2, 500_000)).rejects.toMatchObject({
        code: 'disk',
        message: expect.stringMatching(/no space left.*earlier checkpoints are kept/),
        remedy: expect.stringMatching(/resume/),
      });
      expect(latestCheckpoint(openRun(run.folder))?.entry.step).toBe(1);

      let written = 0;
      const fill = () => {
        for (;;) {
          run.rollouts('complete', 2, [rollout]);
          written++;
        }
      };
      expect(fill).toThrow(
        expect.objectContaining({ code: 'disk', message: expect.stringMatching(/every earlier line is kept/) }),
      );
      expect(written).toBeGreaterThan(5);
      expect(readRollouts(run.folder, 'complete', 2)).toHaveLength(written);
      writeFileSync(join(disk!, 'rest'), 'x'.repeat(statfsSync(disk!).bavail * statfsSync(disk!).bsize));
      expect(() => run.update({ state: 'running', reason: 'x'.repeat(5000) })).toThrow(
        expect.objectContaining({ code: 'disk' }),
      );
      expect(openRun(run.folder).record).toMatchObject({ state: 'created', step: 1 });

      rmSync(join(disk!, 'rest'));
      run.close();
      const again = openForWriting(run.folder);
      again.rollBack(latestCheckpoint(openRun(run.folder))!.entry);
      again.metrics({ stage: 'complete', step: 2, loss: 0.5 });
      again.close({ state: 'finished' });
      expect(readMetrics(run.folder).map((record) => record.step)).toEqual([1, 2]);
      rmSync(run.folder, { recursive: true });
    });

    it('is reported before it is full; training waits while a checkpoint would not fit', async () => {
      const run = createRun(larger!, 'waits', {});
      await run.checkpoint({ stage: 'complete', step: 1, state: {} }, (folder) =>
        writeFileSync(join(folder, 'model.safetensors'), 'w'.repeat(1 << 20)),
      );
      const told: string[] = [];
      const stop = new AbortController();
      const space = new Space(run, stop.signal, (text) => told.push(text), 5);
      const enough = () => space.enough();
      await enough();
      expect(told).toEqual([expect.stringMatching(/is filling up: [567]\.\d MB are left/)]);
      const rest = join(larger!, 'rest');
      writeFileSync(rest, 'x'.repeat(statfsSync(larger!).bavail * statfsSync(larger!).bsize - (1 << 20)));
      let waits = true;
      const waiting = enough().then(() => {
        waits = false;
      });
      await expect.poll(() => told.length, { timeout: 60_000 }).toBe(2);
      expect([told[1], waits]).toEqual([
        expect.stringMatching(/has 1\.0 MB left, and a checkpoint takes 2\.1 MB/),
        true,
      ]);
      rmSync(rest);
      await waiting;
      expect(told[2]).toContain('training continues');
      writeFileSync(rest, 'x'.repeat(statfsSync(larger!).bavail * statfsSync(larger!).bsize));
      const ended = new Space(run, stop.signal, (text) => told.push(text), 60_000).enough();
      stop.abort();
      await ended;
      run.close();
    });

    it('leaves no folder of a run that cannot start, and says so', () => {
      const runs = join(disk!, 'runs');
      mkdirSync(runs);
      writeFileSync(join(disk!, 'rest'), 'x'.repeat(statfsSync(disk!).bavail * statfsSync(disk!).bsize));
      expect(() => createRun(runs, 'full', {})).toThrow(
        expect.objectContaining({ code: 'disk', message: expect.stringMatching(/no space left.*no run was begun/) }),
      );
      expect(readdirSync(runs)).toEqual([]);
      rmSync(join(disk!, 'rest'));
    });

    it('that is read-only is reported as such, also where a folder is missing', () => {
      execFileSync('mount', ['-o', 'remount,ro', disk!]);
      for (const runs of [join(disk!, 'runs'), join(disk!, 'new', 'runs')])
        expect(() => createRun(runs, 'late', {})).toThrow(
          expect.objectContaining({ code: 'disk', message: expect.stringContaining('does not allow writing (EROFS)') }),
        );
      execFileSync('mount', ['-o', 'remount,rw', disk!]);
    });
  },
);
