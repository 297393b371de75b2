/** A TensorFlow on this machine: headers, libraries, version. */
import { execFile } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../errors';

const run = promisify(execFile);

export interface TensorFlowSource {
  version: string;
  include: string;
  /** The libraries to link to: the C API and, where that is a separate file, the framework that it depends on. */
  libraries: string[];
  origin: string;
}

/**
 * Newest: the last version whose C API compiles and passes the tests. Oldest: the first whose wheel has the library.
 */
export const tried = { oldest: '2.12', newest: '2.21' };

/** The library names in wheels and in libtensorflow's archives. */
const libraryNames =
  process.platform === 'darwin'
    ? [
        ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
        ['libtensorflow.2.dylib', 'libtensorflow_framework.2.dylib'],
      ]
    : [
        ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
        ['libtensorflow.so.2', 'libtensorflow_framework.so.2'],
      ];

/**
 * The TensorFlow named by `from`: a Python program, its folder in site-packages, or an unpacked libtensorflow. Without
 * `from`, that of the active environment, or of `python3` or `python` on the PATH; null if none is found.
 * @throws UserError when the named one cannot be used
 */
export async function findSource(
  from?: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<TensorFlowSource | null> {
  if (from) {
    if (existsSync(from) && statSync(from).isDirectory()) return folderSource(resolve(from));
    const folder = await askPython(from, true);
    if (folder) return folderSource(folder, `${from}`);
    throw new UserError('this Python has no TensorFlow', {
      file: from,
      code: 'tensorflow',
      remedy:
        `Install it there (\`${from} -m pip install tensorflow\`), or ` +
        'download one: `distillery backend install --download`.',
    });
  }
  const environments = [env.VIRTUAL_ENV, env.CONDA_PREFIX].flatMap((folder) =>
    folder ? [join(folder, 'bin', 'python')] : [],
  );
  for (const python of [...environments, 'python3', 'python']) {
    const folder = await askPython(python, false);
    if (folder) return folderSource(folder, python);
  }
  return null;
}

/** Finds TensorFlow without importing it: an import takes seconds, and fails if its dependencies are missing. */
async function askPython(python: string, must: boolean): Promise<string | null> {
  const code =
    'import importlib.util as u; s = u.find_spec("tensorflow"); print(s.submodule_search_locations[0] if s else "")';
  try {
    const { stdout } = await run(python, ['-c', code], { timeout: 20_000, windowsHide: true });
    return stdout.trim() || null;
  } catch (error) {
    if (!must) return null;
    throw new UserError(`it does not answer like a Python: ${(error as Error).message.split('\n')[0]}`, {
      file: python,
      code: 'tensorflow',
      remedy: '--from takes a Python program, the folder site-packages/tensorflow, or an unpacked libtensorflow.',
    });
  }
}

/** The TensorFlow in a folder. @throws UserError when a part is missing or does not fit this machine */
export function folderSource(folder: string, origin = folder): TensorFlowSource {
  const places = [folder, join(folder, 'lib'), join(folder, 'tensorflow')];
  const libraries = places
    .flatMap((place) => libraryNames.map((names) => names.map((name) => join(place, name))))
    .find((files) => files.every((file) => existsSync(file)));
  if (!libraries)
    throw new UserError(`it does not have ${libraryNames[0].join(' and ')}`, {
      file: folder,
      code: 'tensorflow',
      remedy:
        `TensorFlow has them since ${tried.oldest} (tested up to ${tried.newest}): ` +
        'use a newer one, or `distillery backend install --download`.',
    });
  const include = [join(folder, 'include'), join(dirname(libraries[0]), 'include')].find((place) =>
    existsSync(join(place, 'tensorflow', 'c', 'c_api.h')),
  );
  if (!include)
    throw new UserError('it does not have headers (include/tensorflow/c/c_api.h)', {
      file: folder,
      code: 'tensorflow',
      remedy:
        "Some systems' packages omit them: use pip's or conda's " +
        'TensorFlow, or `distillery backend install --download`.',
    });
  for (const library of libraries) checkArchitecture(library);
  return { version: versionOf(dirname(libraries[0])) ?? 'unknown', include, libraries, origin };
}

/** The version from the package's metadata in site-packages; otherwise the libraries report it when they are loaded. */
function versionOf(folder: string): string | null {
  const [beside] = [dirname(folder)].filter((place) => basename(folder) === 'tensorflow' && existsSync(place));
  for (const name of beside ? readdirSync(beside) : []) {
    const [, version] = /^tensorflow(?:_cpu|_gpu|_macos|_intel)?-(\d[^-]*)\.dist-info$/.exec(name) ?? [];
    if (version) return version;
  }
  return null;
}

const machines: Record<number, string> = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64', 243: 'riscv64' };

/** Compares the machine of an ELF file with that of this Node; other formats are checked by the linker. */
export function checkArchitecture(library: string, arch: string = process.arch): void {
  const head = Buffer.alloc(20);
  const file = openSync(library, 'r');
  try {
    readSync(file, head, 0, 20, 0);
  } finally {
    closeSync(file);
  }
  if (head.readUInt32BE(0) !== 0x7f454c46) return;
  const machine = machines[head.readUInt16LE(18)] ?? `machine ${head.readUInt16LE(18)}`;
  if (machine === arch) return;
  throw new UserError(`it is built for ${machine}, but this Node.js for ${arch}`, {
    file: library,
    code: 'tensorflow',
    remedy: `Use a TensorFlow for ${arch}, or run Distillery with a Node.js for ${machine}.`,
  });
}
