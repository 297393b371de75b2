import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { isProcess, isRunning, killTree, startTimeOf, thisProcess, touchRegularly } from './processes';

/** A process that starts another one and says its number. */
const parent = `
const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
console.log(child.pid);
setInterval(() => {}, 1000);
`;

it('a tree of processes is ended as a whole', async () => {
  const child = spawn(process.execPath, ['-e', parent], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const below = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
  expect([child.pid!, below].map(isProcess)).toEqual([true, true]);
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  killTree(child.pid!);
  if (process.platform !== 'win32') expect(await ended).toBe('SIGKILL');
  await ended;
  // The entry of an orphan disappears when its new parent has reaped it, which not every container's does.
  await expect.poll(() => isProcess(below) && !isZombie(below), { timeout: 60_000 }).toBe(false);
  killTree(child.pid!); // and nothing more happens
});

it('the time a process started is the same at every call and differs between processes', () => {
  const child = spawn('sleep', ['10']);
  try {
    expect(startTimeOf(process.pid)).toBe(startTimeOf(process.pid));
    expect(startTimeOf(child.pid!)).not.toBe(startTimeOf(process.pid));
  } finally {
    child.kill();
  }
  expect(startTimeOf(2 ** 22 + 1)).toBeUndefined();
});

it('the time a process started is asked in one language and one time zone', () => {
  const folder = scratch();
  const ps = join(folder, 'ps');
  writeFileSync(ps, '#!/bin/sh\necho "$LC_ALL $TZ $*"\n', { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
  vi.stubEnv('LC_ALL', 'de_DE.UTF-8');
  vi.stubEnv('TZ', 'Asia/Tokyo');
  vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin');
  onTestFinished(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
  expect(startTimeOf(7)).toBe('C UTC -o lstart= -p 7');
});

it('a process lives by its start time; by its file where that cannot be seen', () => {
  const file = join(scratch(), 'owner.json');
  writeFileSync(file, '');
  const alive = (change: object) => isRunning({ ...thisProcess(), ...change }, file);
  const age = (minutes: number) => {
    const time = Date.now() / 1000 - 60 * minutes;
    utimesSync(file, time, time);
  };
  const answers = () =>
    [{}, { startTime: 'another' }, { pid: 2 ** 22 + 1 }, { startTime: '' }, { machine: 'elsewhere' }].map(alive);
  // A record without a start time: on Linux it belongs to no process, as every process knows its own.
  const unknown = process.platform !== 'linux';
  expect(answers()).toEqual([true, false, false, unknown, true]);
  age(9);
  expect(answers()).toEqual([true, false, false, unknown, true]);
  age(11);
  expect(answers()).toEqual([true, false, false, false, false]);
  rmSync(file);
  expect(alive({ machine: 'elsewhere' })).toBe(false);
});

it('a file is touched every minute until that is cancelled', async () => {
  const file = join(scratch(), 'owner.json');
  writeFileSync(file, '');
  utimesSync(file, 1, 1);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const rest = touchRegularly(file);
  vi.advanceTimersByTime(59_000);
  expect(statSync(file).mtimeMs).toBe(1000);
  vi.advanceTimersByTime(1000);
  await expect.poll(() => statSync(file).mtimeMs, { timeout: 60_000 }).toBeGreaterThan(Date.now() - 60_000);
  rest();
  expect(vi.getTimerCount()).toBe(0);
});

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-processes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^.*\) Z/s.test(stat);
  } catch {
    return false;
  }
}
