/** A Python with PyTorch, transformers and peft for tests of engines. */
import { join } from 'node:path';
import { readInstalledEngine } from '../../src/engine/process/installed';
import { installEngine } from '../../src/engine-install/install';
import { cacheFolder } from './peers';

/** One thread: with more, PyTorch's threads wait for one another on a busy machine. */
export const singleThreaded = { OMP_NUM_THREADS: '1', DISTILLERY_THREADS: '1' };

/** A Python with the PyTorch engine's libraries: DISTILLERY_PYTHON, else one set up in the cache of peers. */
export async function pythonWithTorch(): Promise<string> {
  if (process.env.DISTILLERY_PYTHON) return process.env.DISTILLERY_PYTHON;
  process.env.DISTILLERY_ENGINE_HOME = join(cacheFolder(), 'torch-2.13');
  Object.assign(process.env, singleThreaded);
  const before = readInstalledEngine();
  if (before) return before.python;
  const agreed = async ({ folder }: { folder: string }) => {
    process.stderr.write(`Downloading PyTorch and transformers from PyPI into ${folder}\n`);
    return true;
  };
  return (await installEngine({ accelerator: 'cpu', vllm: false }, agreed, { progress: () => {} })).python;
}
