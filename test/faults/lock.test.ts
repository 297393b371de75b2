import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { programOfTests } from './program';

const made = programOfTests('contend-for-lock');

it('of processes that compete for a stale lock, only one holds it at a time', async () => {
  const run = join(made.folder, 'run');
  mkdirSync(join(run, 'lock'), { recursive: true });
  writeFileSync(join(run, 'counter'), '0');
  const dead = { pid: process.pid, startTime: 'of a dead process', host: hostname(), token: 'dead' };
  writeFileSync(join(run, 'lock', '1.json'), JSON.stringify(dead));
  const codes = await Promise.all(
    [1, 2, 3].map(
      () =>
        new Promise((resolve) => {
          spawn(process.execPath, [made.program, run, '40'], { stdio: 'inherit' }).on('exit', resolve);
        }),
    ),
  );
  expect(codes).toEqual([0, 0, 0]);
  expect(readFileSync(join(run, 'counter'), 'utf8')).toBe('120');
});
