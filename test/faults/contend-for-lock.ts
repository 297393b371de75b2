/**
 * Takes a run's lock again and again, and counts in a file while holding it: read, wait a moment, write back. Counts
 * are lost if two processes ever hold it together. Usage: contend-for-lock <run folder> <times>
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/errors';
import { acquireLock } from '../../src/runs/lock';

const [folder, times] = [process.argv[2], Number(process.argv[3])];
const counter = join(folder, 'counter');
const pause = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

for (let held = 0; held < times; )
  try {
    const lock = acquireLock(folder);
    const count = Number(readFileSync(counter, 'utf8'));
    pause(1);
    writeFileSync(counter, String(count + 1));
    lock.release();
    held++;
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'locked') throw error;
    pause(1);
  }
