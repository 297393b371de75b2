/**
 * A real run of the tiny experiment: starts one in the given folder, or resumes the one there. `node
 * train-tiny.cjs <workspace> <runs> <backend> [append|save <n>]` kills itself inside the nth append to a record, or at
 * the nth file that is made durable: in a checkpoint, or between it and run.json.
 */
import fs from 'node:fs';
import type { Backend } from '../../src/config/backends';
import { resumeRun, startRun } from '../../src/curriculum/session';
import { tinyExperiment } from '../../src/curriculum/testing/tiny';
import { listRuns } from '../../src/runs/reading';

const [workspace, runs, backend, place, count] = process.argv.slice(2);
let left = Number(count);
const die = () => process.kill(process.pid, 'SIGKILL');

if (place === 'append') {
  const write = fs.writeSync as (...args: unknown[]) => number;
  const half = (handle: number, bytes: Buffer, from: number, length: number, at: number) => {
    if (--left > 0) return write(handle, bytes, from, length, at);
    write(handle, bytes, from, Math.ceil(length / 2), at);
    die();
    return length;
  };
  fs.writeSync = ((...args: unknown[]) =>
    args.length === 5 ? half(...(args as Parameters<typeof half>)) : write(...args)) as typeof fs.writeSync;
}
if (place === 'save') {
  const { fsyncSync } = fs;
  fs.fsyncSync = (handle) => {
    if (--left === 0) die();
    fsyncSync(handle);
  };
}

const [listed] = listRuns(runs).filter((entry) => 'run' in entry);
const options = { signal: new AbortController().signal, notify: () => {} };
process.stdout.write('begun\n');
const experiment = () => tinyExperiment(workspace, { backend: backend as Backend });
const run = listed ? resumeRun(listed.folder, options) : startRun(experiment(), runs, options);
run.then(() => process.exit(0));
