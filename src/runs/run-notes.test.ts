import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { aboutFile, readAbout, writeAbout } from './run-notes';

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'distillery-about-'));
});
afterEach(() => rmSync(run, { recursive: true }));

it('keeps unchanged fields, and removes emptied ones', () => {
  expect(readAbout(run)).toEqual({});
  writeAbout(run, { name: 'short answers', tags: ['paper', 'seed 1'] });
  writeAbout(run, { starred: true, note: 'best so far' });
  writeAbout(run, { tags: [], note: '' });
  expect(readAbout(run)).toEqual({ name: 'short answers', starred: true });
});

it('names the file where it holds something else', () => {
  writeFileSync(aboutFile(run), '{"tags": "paper"}');
  expect(() => readAbout(run)).toThrow(expect.objectContaining({ file: aboutFile(run) }));
});
