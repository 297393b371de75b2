import { defineConfig } from 'vitest/config';
import { faultFiles } from './scripts/faults/rows';

/** `npm test` runs these by `npm run test:faults -- --short`. */
const elsewhere = process.env.DISTILLERY_WITHOUT_FAULTS === '1' ? faultFiles : [];

export default defineConfig({
  test: {
    include: [
      'src/**/*.test.ts',
      'test/**/*.test.ts',
      'scripts/**/*.test.ts',
      'webview/**/*.test.ts',
      'bench/**/*.test.ts',
    ],
    exclude: ['test/workbench/**', '**/node_modules/**', ...elsewhere],
    globalSetup: 'test/clean-up.ts',
    // Twenty times what the slowest take alone: a busy machine is no failure.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Two workers: the machines this runs on have two cores, and the kernels use threads of their own.
    pool: 'forks',
    maxWorkers: 2,
  },
});
