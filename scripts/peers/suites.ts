/** Runs test suites that need a library which may not be available. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { UserError } from '../../src/errors';
import { packageRoot } from '../../src/paths';

/** The exit code of `vitest run` with these arguments, with time for whole runs. */
export function vitest(env: NodeJS.ProcessEnv, ...args: string[]): number {
  const program = join(packageRoot(), 'node_modules', 'vitest', 'vitest.mjs');
  const all = [program, 'run', '--hook-timeout=240000', '--test-timeout=900000', ...args];
  return spawnSync(process.execPath, all, { cwd: packageRoot(), stdio: 'inherit', env }).status ?? 1;
}

/**
 * Runs tests and exits with their code, unless it is 0. If `what` they need is not available (a UserError), it prints
 * NOT RUN and the reason; with the environment variable `required` set to 1, that is an error.
 */
export async function runOrSay(what: string, required: string, run: () => Promise<number>): Promise<void> {
  try {
    const code = await run();
    if (code !== 0) process.exitCode = code;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${what}: NOT RUN, ${error.message}\n`);
    if (process.env[required] === '1') process.exitCode = 1;
  }
}
