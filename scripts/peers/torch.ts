/**
 * The PyTorch engine beside the embedded one, and a run of all three stages on it: npm run test:torch [-- vitest's
 * arguments]
 *
 * It sets the engine up as `distillery engine install --cpu` does, in ~/.cache/distillery/peers (1 GB, 10 seconds by
 * uv, once; DISTILLERY_PEERS_CACHE names another folder), unless DISTILLERY_PYTHON names a Python that has the
 * libraries. Where it cannot be had it says so in one line, and nothing is tested; DISTILLERY_REQUIRE_TORCH=1 makes
 * that an error.
 */
import { join } from 'node:path';
import { readInstalledEngine } from '../../src/engine/process/installed';
import { installEngine } from '../../src/engine-install/install';
import { cacheFolder } from './peers';
import { testOn, vitest } from './suites';

/** What needs PyTorch; the other tests of engines are among the unit tests. */
const suites = ['test/engines/torch.test.ts', 'test/parity/engine.test.ts'];
/** One thread: with more, PyTorch's wait for each other on a busy machine. */
const quiet = { OMP_NUM_THREADS: '1', DISTILLERY_THREADS: '1' };

async function pythonWithTorch(): Promise<string> {
  if (process.env.DISTILLERY_PYTHON) return process.env.DISTILLERY_PYTHON;
  process.env.DISTILLERY_ENGINE_HOME = join(cacheFolder(), 'torch-2.13');
  Object.assign(process.env, quiet);
  const before = readInstalledEngine();
  if (before) return before.python;
  const agreed = async ({ folder }: { folder: string }) => {
    process.stderr.write(`Fetching PyTorch and transformers from PyPI into ${folder}\n`);
    return true;
  };
  return (await installEngine({ accelerator: 'cpu', vllm: false }, agreed, { progress: () => {} })).python;
}

void testOn('PyTorch engine', 'DISTILLERY_REQUIRE_TORCH', pythonWithTorch, (python) => {
  const own = process.argv.slice(2);
  const env = { ...process.env, ...quiet, DISTILLERY_PYTHON: python };
  return vitest(env, ...(own.length > 0 ? own : suites));
});
