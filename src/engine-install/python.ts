/** Python installations of this machine: one to create an environment with, and the contents of an existing one. */
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../errors';
import { isOlder, oldest, oldestPython, pythonRange } from './pins';

const run = promisify(execFile);

export interface Python {
  path: string;
  /** Such as `3.11.7`. */
  version: string;
}

const dotted = ([major, minor]: readonly [number, number]) => `${major}.${minor}`;
const range = `${dotted(pythonRange.oldest)} to ${dotted(pythonRange.newest)}`;

/** Whether the pinned packages have wheels for it. */
export const fits = ({ version }: Python): boolean =>
  !isOlder(version, dotted(pythonRange.oldest)) &&
  isOlder(version, dotted([pythonRange.newest[0], pythonRange.newest[1] + 1]));

/**
 * A Python on the PATH that can create an environment, or the reason why there is none. Relative entries of the PATH
 * are ignored.
 */
export async function findPython(env: NodeJS.ProcessEnv = process.env): Promise<Python | UserError> {
  const end = process.platform === 'win32' ? '.exe' : '';
  const minors = [13, 12, 11, 14].map((minor) => `python3.${minor}`);
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const seen: Python[] = [];
  for (const name of ['python3', 'python', ...minors])
    for (const folder of folders) {
      const path = join(folder, `${name}${end}`);
      const found = existsSync(path) ? await askVersion(path) : null;
      if (!found) continue;
      if (fits(found)) return found;
      seen.push(found);
    }
  const [other] = seen;
  return new UserError(
    other
      ? `Python ${other.version} (${other.path}) is not supported: ${range} is needed`
      : `there is no Python ${range} on the PATH`,
    {
      code: 'python',
      remedy:
        'Install one (Debian, Ubuntu: `apt install python3 python3-venv`; ' +
        'https://www.python.org), or uv (https://docs.astral.sh/uv), which includes one.',
    },
  );
}

async function askVersion(path: string): Promise<Python | null> {
  try {
    const { stdout } = await run(path, ['-c', 'import platform; print(platform.python_version())'], {
      timeout: 20_000,
      windowsHide: true,
    });
    return /^\d+\.\d+/.test(stdout) ? { path, version: stdout.trim() } : null;
  } catch {
    return null;
  }
}

/** The Python program of an environment, given the program or the folder. */
export function programOf(asked: string): string {
  const path = resolve(asked);
  if (!existsSync(path))
    throw new UserError('there is no such Python', {
      file: path,
      code: 'missing',
      remedy: 'Check the path; `distillery engine install` without --python creates an environment.',
    });
  if (!statSync(path).isDirectory()) return path;
  const places = [join('bin', 'python'), join('Scripts', 'python.exe'), 'python.exe'].map((place) => join(path, place));
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new UserError('this folder is not a Python environment', {
    file: path,
    code: 'python',
    remedy: 'Name a Python program, or the folder of a virtual or conda environment.',
  });
}

/**
 * The versions of the libraries in the user's own environment. @throws UserError when a library is missing or too old
 */
export async function checkOwn(python: string): Promise<Record<string, string>> {
  const code =
    'import importlib.metadata as m, json, platform, sys\n' +
    'def v(n):\n try: return m.version(n)\n except m.PackageNotFoundError: return None\n' +
    'print(json.dumps({"python": platform.python_version(), **{n: v(n) for n in sys.argv[1:]}}))';
  let versions: Record<string, string | null>;
  try {
    const { stdout } = await run(python, ['-c', code, ...Object.keys(oldest)], { timeout: 60_000, windowsHide: true });
    versions = JSON.parse(stdout);
    if (typeof versions?.python !== 'string') throw new Error('it prints no version');
  } catch (error) {
    throw new UserError(`it does not answer like a Python: ${(error as Error).message.split('\n')[0]}`, {
      file: python,
      code: 'python',
      remedy: '--python takes a Python program, or the folder of a virtual environment.',
    });
  }
  if (isOlder(versions.python!, oldestPython))
    throw new UserError(`Python ${versions.python} is too old: the engine needs ${oldestPython} or newer`, {
      file: python,
      code: 'python',
      remedy: 'Name a newer one, or run `distillery engine install` without --python to create an environment.',
    });
  const lacking = Object.entries(oldest).flatMap(([name, least]) => {
    const version = versions[name];
    if (!version) return [`${name} is missing`];
    return isOlder(version, least) ? [`${name} ${version} is older than ${least}`] : [];
  });
  if (lacking.length > 0)
    throw new UserError(`this environment is not suitable: ${lacking.join(', ')}`, {
      file: python,
      code: 'python',
      remedy: `Nothing in it was changed. Install the missing packages: ${Object.entries(oldest)
        .map(([name, least]) => `"${name}>=${least}"`)
        .join(' ')}; or run \`distillery engine install\` without --python to create an environment.`,
    });
  return versions as Record<string, string>;
}
