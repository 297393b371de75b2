import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleProgram } from './program';

let folder: string;
let program: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-race-'));
  program = await bundleProgram('contend-for-lock', folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('processes that race for a lock, stale at first, never hold it together', async () => {
  const run = join(folder, 'run');
  mkdirSync(join(run, 'lock'), { recursive: true });
  writeFileSync(join(run, 'counter'), '0');
  const dead = { pid: process.pid, startTime: 'of a process long gone', host: hostname(), token: 'dead' };
  writeFileSync(join(run, 'lock', '1.json'), JSON.stringify(dead));
  const codes = await Promise.all(
    [1, 2, 3].map(
      () =>
        new Promise((resolve) => {
          spawn(process.execPath, [program, run, '40'], { stdio: 'inherit' }).on('exit', resolve);
        }),
    ),
  );
  expect(codes).toEqual([0, 0, 0]);
  expect(readFileSync(join(run, 'counter'), 'utf8')).toBe('120');
});
