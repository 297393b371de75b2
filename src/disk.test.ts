import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pathError } from './disk';
import { UserError } from './errors';
import { isFolder, statOf } from './paths';

const folder = mkdtempSync(join(tmpdir(), 'distillery-paths-'));
const [file, loop] = [join(folder, 'file'), join(folder, 'loop')];
writeFileSync(file, '');
symlinkSync(loop, loop);
afterAll(() => rmSync(folder, { recursive: true }));

describe('a path', () => {
  it.each([
    ['with a NUL', join(folder, 'a\0b'), 'a path contains a NUL character'],
    ['of 5000 characters', join(folder, 'a'.repeat(5000)), 'the path is too long (ENAMETOOLONG)'],
    ['through a file', join(file, 'x'), 'a part of the path is not a folder (ENOTDIR)'],
    ['through a link to itself', join(loop, 'x'), 'its symbolic links lead back to themselves (ELOOP)'],
    ['of nothing', join(folder, 'none'), 'no such file or folder (ENOENT)'],
  ])('%s is an error of the user', (_, path, message) => {
    expect(statOf(path)).toBeUndefined();
    expect(isFolder(path)).toBe(false);
    let thrown: unknown;
    try {
      readFileSync(path);
    } catch (error) {
      thrown = pathError(error);
    }
    expect(thrown).toBeInstanceOf(UserError);
    expect(String(thrown)).toContain(message);
  });

  it('leaves other errors unchanged', () => {
    const defect = new TypeError('x is not a function');
    expect(pathError(defect)).toBe(defect);
    expect(pathError(undefined)).toBeUndefined();
  });
});
