/** A Python for tests that compare with its libraries; the product needs none. */
import { spawnSync } from 'node:child_process';

/**
 * The Python named by DISTILLERY_PYTHON, else python3, if it has these modules; otherwise null, with a line on stderr.
 */
export function python(modules: readonly string[]): string | null {
  const interpreter = process.env.DISTILLERY_PYTHON || 'python3';
  const names = JSON.stringify(modules);
  const found = `import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in ${names}))`;
  if (spawnSync(interpreter, ['-c', found], { stdio: 'ignore' }).status === 0) return interpreter;
  process.stderr.write(
    `${interpreter} has no ${modules.join(' and ')}, what needs it is ` +
      'skipped (DISTILLERY_PYTHON names another Python)\n',
  );
  return null;
}
