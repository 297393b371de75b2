import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeFolder } from './writing';

const scratch = mkdtempSync(join(tmpdir(), 'distillery-writing-'));
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

describe('makeFolder', () => {
  it('makes parents, and accepts a folder that is there', () => {
    const folder = join(scratch, 'a', 'b', 'c');
    makeFolder(scratch, folder);
    makeFolder(scratch, folder);
    makeFolder(folder, folder);
    expect(existsSync(folder)).toBe(true);
  });

  it('fails where a file or a broken link is in the way', () => {
    makeFolder(scratch, scratch);
    writeFileSync(join(scratch, 'file'), '');
    symlinkSync(join(scratch, 'nowhere'), join(scratch, 'link'));
    for (const name of ['file', 'link']) {
      const folder = join(scratch, name);
      expect(() => makeFolder(folder, folder)).toThrow(/EEXIST/);
      expect(() => makeFolder(folder, join(folder, 'below'))).toThrow(/ENOTDIR|EEXIST/);
    }
  });

  it.runIf(existsSync('/proc/self'))('fails where folders cannot be made', () => {
    expect(() => makeFolder('/proc/distillery', '/proc/distillery/runs')).toThrow(/ENOENT/);
  });
});
