/**
 * Runs the kernel and parity suites, and a run of all three stages, on TensorFlow: npm run test:tensorflow [-- vitest's
 * arguments]
 *
 * It sets PyPI's TensorFlow up as `distillery backend install --download` does, pinned, in ~/.cache/distillery/peers
 * (274 MB to fetch and 0.9 GB to keep, once; DISTILLERY_PEERS_CACHE names another folder). If it cannot be downloaded
 * or built, it prints NOT RUN and the reason; DISTILLERY_REQUIRE_TENSORFLOW=1 makes that an error.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { installTensorFlow } from '../../src/backend-install/install';
import type { Wheel } from '../../src/backend-install/pypi';
import { tried } from '../../src/backend-install/source';
import { UserError } from '../../src/errors';
import { readInstalled } from '../../src/kernels/tensorflow/installed';
import { cacheFolder } from './peers';
import { runOrSay, vitest } from './suites';

/** PyPI's wheels of tensorflow-cpu 2.21.0 for the supported platforms. */
const pinned: Record<string, string> = {
  'linux-x64': 'd143e92f5c0661cdfa26eaca8f73cd2efd0ec53a68af8dec82f584ba8eb14b83',
};

const version = `${tried.newest}.0`;
const folder = join(cacheFolder(), `tensorflow-cpu-${version}`);

const suites = [
  ...['src/kernels/kernel.', 'src/kernels/gradients.test.ts'],
  ...['src/kernels/tensorflow', 'src/rollout/sample.test.ts', 'src/learning/checkpointing.test.ts', 'test/parity'],
];

/**
 * The tests of a run that depend on the backend. `npm run test:tensorflow -- src/curriculum/curriculum.test.ts` also
 * runs the others.
 */
const runTests = 'records the reference|is decided by its seed|after [28] updates|at yield 9|"auto"|leaves no tensors';

async function setUp(): Promise<void> {
  process.env.DISTILLERY_TENSORFLOW = folder;
  mkdirSync(folder, { recursive: true });
  if (readInstalled()?.tensorflow.version === version) return;
  const agreed = async ({ name, size, hash }: Wheel) => {
    if (hash.digest !== pinned[`${process.platform}-${process.arch}`])
      throw new UserError(`${name} has not the hash that is pinned here`);
    process.stderr.write(`Downloading ${name} (${Math.round(size / 1e6)} MB) into ${folder}\n`);
    return true;
  };
  await installTensorFlow({ gpu: false, download: 'always', version }, agreed, { progress: () => {} });
}

void runOrSay('TensorFlow', 'DISTILLERY_REQUIRE_TENSORFLOW', async () => {
  await setUp();
  const env = { DISTILLERY_THREADS: '1', ...process.env };
  const own = process.argv.slice(2);
  if (own.length > 0) return vitest(env, ...own);
  return vitest(env, ...suites, '-t', 'tensorflow') || vitest(env, 'src/curriculum/curriculum.test.ts', '-t', runTests);
});
