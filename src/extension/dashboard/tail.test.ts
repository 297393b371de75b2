import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LineTail } from './tail';

let folder: string;
let file: string;
let tail: LineTail;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-tail-'));
  file = join(folder, 'metrics.jsonl');
  tail = new LineTail(file);
});
afterEach(() => rmSync(folder, { recursive: true }));

const texts = async () => (await tail.read()).lines.map(({ text }) => text);

it('reads new lines once they are complete', async () => {
  expect(await tail.read()).toEqual({ restarted: false, lines: [], more: false }); // no file yet
  writeFileSync(file, 'one\ntwo\nthr');
  expect((await tail.read()).lines).toEqual([
    { text: 'one', number: 1 },
    { text: 'two', number: 2 },
  ]);
  expect(await texts()).toEqual([]);
  appendFileSync(file, 'ee é\nfour\n');
  expect((await tail.read()).lines).toEqual([
    { text: 'three é', number: 3 },
    { text: 'four', number: 4 },
  ]);
});

it.skipIf(process.platform === 'win32')('waits at no named pipe, and reads no device', async () => {
  execFileSync('mkfifo', [file]);
  await expect(tail.read()).rejects.toThrow(/named pipe/);
  rmSync(file);
  symlinkSync('/dev/zero', file);
  await expect(tail.read()).rejects.toThrow(/device/);
});

it('starts again after the file was truncated, even if it has grown past its old end since', async () => {
  writeFileSync(file, 'one\ntwo\nthree\n');
  await tail.read();
  truncateSync(file, 4);
  expect(await tail.read()).toEqual({ restarted: true, lines: [{ text: 'one', number: 1 }], more: false });
  appendFileSync(file, 'two again\n');
  expect(await texts()).toEqual(['two again']);
  writeFileSync(file, 'one\nTWO again, and longer\nthree\n');
  const read = await tail.read();
  expect(read.restarted).toBe(true);
  expect(read.lines).toHaveLength(3);
});

it('forgets a file that was deleted', async () => {
  writeFileSync(file, 'one\n');
  await tail.read();
  rmSync(file);
  expect(await tail.read()).toEqual({ restarted: true, lines: [], more: false });
  expect((await tail.read()).restarted).toBe(false);
});

it('reads long files in parts, and lines longer than a part whole', async () => {
  const long = 'x'.repeat(2_500_000);
  writeFileSync(file, `${'short\n'.repeat(300_000)}${long}\nlast\n`);
  let all: string[] = [];
  let calls = 0;
  for (let more = true; more; calls++) {
    const read = await tail.read();
    all = all.concat(read.lines.map(({ text }) => text));
    more = read.more;
  }
  expect(calls).toBeGreaterThan(2);
  expect(all).toHaveLength(300_002);
  expect(all[300_000]).toBe(long);
  expect(all[300_001]).toBe('last');
});
