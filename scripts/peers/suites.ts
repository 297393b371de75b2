/** Test suites that need a library which this machine may not have. */
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
 * Runs tests and takes the exit code that they give, unless it is 0. Where `what` they need cannot be had (a UserError)
 * it says so in one line, and nothing is tested; the environment variable `required` makes that an error where it is 1.
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
