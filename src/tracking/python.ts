/** Finds the Python with a tracker's client. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../errors';

const run = promisify(execFile);
const windows = process.platform === 'win32';

/** Candidates, best first. If `asked` is given, it is the only one. */
function candidates(asked: string | undefined, env: NodeJS.ProcessEnv): string[] {
  if (asked) return [asked];
  const environments = [env.VIRTUAL_ENV, env.CONDA_PREFIX].filter((folder) => folder !== undefined);
  const inside = windows ? 'Scripts/python.exe' : 'bin/python';
  // A relative entry of the PATH would be resolved in the workspace, which may contain its own `python`.
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const names = windows ? ['python.exe'] : ['python3', 'python'];
  return [
    ...(env.DISTILLERY_PYTHON ? [env.DISTILLERY_PYTHON] : []),
    ...environments.map((folder) => join(folder, inside)),
    ...folders.flatMap((folder) => names.map((name) => join(folder, name))),
  ].filter((path) => existsSync(path));
}

/** The first Python that has `module`. @throws UserError when none has */
export async function pythonWith(module: string, asked: string | undefined): Promise<string> {
  for (const path of new Set(candidates(asked, process.env)))
    try {
      const look = `import importlib.util, sys; sys.exit(importlib.util.find_spec(${JSON.stringify(module)}) is None)`;
      // Isolated mode: modules in the current folder are ignored.
      await run(path, ['-I', '-c', look], { timeout: 60_000, windowsHide: true });
      return path;
    } catch {
      // try the next one
    }
  throw new UserError(asked ? `this Python has no ${module}` : `no Python here has ${module}`, {
    ...(asked && { file: asked }),
    code: 'python',
    remedy:
      `Install it with \`pip install ${module}\`, and name the Python that has it with ` +
      '--python, DISTILLERY_PYTHON or the setting distillery.trackers.python.',
  });
}
