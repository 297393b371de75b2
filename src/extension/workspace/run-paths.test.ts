import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isWithin } from '../../paths';
import { distilleryOf, runOfFile } from './run-paths';

it('a host belongs to the folder of the path, else to the workspace, else to the home folder', () => {
  const of = (path: string, ...roots: string[]) => distilleryOf(path, roots, '/home');
  expect(of('/w/a/.distillery/runs/r/checkpoints/c', '/w')).toBe(join('/w/a', '.distillery'));
  expect(of('/w/a/e.distillery.json', '/w')).toBe(join('/w/a', '.distillery'));
  expect(of('/models/m.gguf', '/w', '/models')).toBe(join('/models', '.distillery'));
  expect(of('/models/m.gguf', '/w', '/model')).toBe(join('/w', '.distillery'));
  expect(of('/models/m.gguf')).toBe(join('/home', '.distillery'));
});

it('a folder contains its files, and itself', () => {
  expect(['/a', '/a/b', '/ab', '/'].map((path) => isWithin('/a', path))).toEqual([true, true, false, false]);
  expect(isWithin('/', '/a')).toBe(true);
});

it('a file of a run names it', () => {
  expect(runOfFile('/w/.distillery/runs/r/run.json')).toEqual({
    runs: '/w/.distillery/runs',
    run: '/w/.distillery/runs/r',
  });
  expect(runOfFile('/w/.distillery/runs')).toEqual({ runs: '/w/.distillery/runs' });
  expect(runOfFile('/w/.distillery/host/host.json')).toBeUndefined();
});
