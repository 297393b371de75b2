/**
 * Runs the long tests of all engines but the embedded one: npm run test:engines [-- parts]. Parts are torch (parity;
 * engine and host killed eight times), families (those that only PyTorch supports), arithmetic (the quick built-in
 * experiment on both engines), python (the engine's own tests, including two processes connected by gloo), skyrl (its
 * server of the Tinker API in training) and vllm. An hour on two cores.
 *
 * PyTorch is set up as for `npm run test:torch`. DISTILLERY_VLLM_PYTHON names a Python that also has vLLM (`distillery
 * engine install --vllm`), DISTILLERY_SKYRL_PYTHON one with skyrl[tinker,jax], aiohttp and uv. If something is not
 * available, its part prints NOT RUN and the reason; DISTILLERY_REQUIRE_ENGINES=1 makes that an error.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { UserError } from '../../src/errors';
import { packageRoot } from '../../src/paths';
import { cacheFolder } from './peers';
import { runOrSay, vitest } from './suites';
import { pythonWithTorch, singleThreaded } from './torch-python';

const folder = join(packageRoot(), 'python');

/** The parts, which return an exit code; each throws a UserError if its requirements are not available. */
const parts: Record<string, () => Promise<number>> = {
  torch: () => runSuites('torch.test.ts', join('..', 'parity', 'engine.test.ts')),
  families: () => runSuites('families.test.ts'),
  arithmetic: () => runSuites('arithmetic.test.ts'),
  python: async () => pytest(await pythonWithTorch()),
  skyrl: () => {
    const bin = dirname(named('DISTILLERY_SKYRL_PYTHON', 'skyrl'));
    if (!existsSync(join(bin, 'uv'))) throw new UserError(`there is no uv in ${bin}, which starts SkyRL's server`);
    return runSuites('skyrl.test.ts');
  },
  vllm: async () => pytest(named('DISTILLERY_VLLM_PYTHON', 'vllm'), 'tests/test_vllm.py'),
};

async function runSuites(...names: string[]): Promise<number> {
  const more = { DISTILLERY_ENGINES: '1', DISTILLERY_KILLS: process.env.DISTILLERY_KILLS ?? '8' };
  const env = Object.assign({}, process.env, singleThreaded, more, { DISTILLERY_PYTHON: await pythonWithTorch() });
  return vitest(env, ...names.map((name) => join('test', 'engines', name)));
}

function pytest(python: string, ...names: string[]): number {
  const side = join(cacheFolder(), 'pytest-9.2.0');
  if (!existsSync(side)) {
    const { status } = spawnSync('pip', ['install', '--quiet', '--target', side, 'pytest==9.2.0'], {
      stdio: 'inherit',
    });
    if (status !== 0) throw new UserError('pytest cannot be had from PyPI');
  }
  const path = [folder, side, process.env.PYTHONPATH].filter(Boolean).join(delimiter);
  const env = Object.assign({}, process.env, singleThreaded, { PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' });
  return spawnSync(python, ['-m', 'pytest', '-q', ...names], { cwd: folder, stdio: 'inherit', env }).status ?? 1;
}

/** The Python named by an environment variable; checks that it has the module. */
function named(variable: string, module: string): string {
  const python = process.env[variable];
  if (!python) throw new UserError(`${variable} names no Python with ${module}`);
  const found = `import importlib.util as u, sys; sys.exit(u.find_spec("${module}") is None)`;
  if (spawnSync(python, ['-c', found]).status !== 0) throw new UserError(`${python} has no ${module}`);
  return python;
}

async function main(): Promise<void> {
  const asked = process.argv.slice(2);
  for (const [name, run] of Object.entries(parts))
    if (asked.length === 0 || asked.includes(name)) await runOrSay(name, 'DISTILLERY_REQUIRE_ENGINES', run);
}

void main();
