import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isProcess, killTree } from './processes';

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
  // An orphan's last trace goes when its new parent has seen its end, which not every container's does.
  await expect.poll(() => isProcess(below) && !isZombie(below), { timeout: 10_000 }).toBe(false);
  killTree(child.pid!); // and nothing more happens
}, 30_000);

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^.*\) Z/s.test(stat);
  } catch {
    return false;
  }
}
