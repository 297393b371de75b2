import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { faultFiles } from './scripts/faults/rows';

/** `npm test` runs these by `npm run test:faults -- --short`. */
const elsewhere = process.env.DISTILLERY_WITHOUT_FAULTS === '1' ? faultFiles : [];

/** Folders whose tests do not affect those of another file; the others set up backends. */
const stateless = [
  'answers',
  'arithmetic',
  'backend-install',
  'cases',
  'chain',
  'cli',
  'client',
  'config',
  'data',
  'engine-install',
  'evaluation',
  'extension',
  'hub',
  'imports',
  'protocol',
  'report',
  'reward-components',
  'rewards',
  'runs',
  'student-files',
].map((name) => join('src', name));

/**
 * Their test files, which share processes: starting one and importing the modules takes longer than most of the tests.
 * A file that replaces modules needs a process of its own.
 */
const together = [...stateless, 'webview', 'scripts']
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
  .filter((file) => file.endsWith('.test.ts') && !readFileSync(file, 'utf8').includes('vi.mock('));

const exclude = ['test/workbench/**', '**/node_modules/**', ...elsewhere];

export default defineConfig({
  test: {
    globalSetup: 'test/clean-up.ts',
    // Twenty times what the slowest take alone: a busy machine is no failure.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Two workers: the machines this runs on have two cores, and the kernels use threads of their own.
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'together', include: together, exclude, isolate: false } },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
          exclude: [...exclude, ...together],
        },
      },
    ],
  },
});
