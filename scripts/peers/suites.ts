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
 * Ends with the exit code of `run` on what `setUp` gives. Where `library` cannot be had it says so in one line, and
 * nothing is tested; the environment variable `required` makes that an error where it is 1.
 */
export async function testOn<T>(
  library: string,
  required: string,
  setUp: () => Promise<T>,
  run: (found: T) => number,
): Promise<void> {
  let found: T;
  try {
    found = await setUp();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${library}: NOT RUN, ${error.message}\n`);
    process.exitCode = process.env[required] === '1' ? 1 : 0;
    return;
  }
  process.exitCode = run(found);
}
