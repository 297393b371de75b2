/**
 * Creates a virtual environment and installs packages: with uv, which takes seconds, else with Python's venv and pip.
 */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fetchFile } from '../backend-install/fetch';
import { findWheel } from '../backend-install/pypi';
import type { InstallWatch } from '../backend-install/report';
import { unzip } from '../backend-install/unzip';
import { type ErrorCode, UserError } from '../errors';
import { packageRoot } from '../paths';
import { createFile, move, remove } from '../writing';
import { type InstallParts, requirements, uvVersion } from './pins';
import type { Python } from './python';

const run = promisify(execFile);
const exe = process.platform === 'win32' ? '.exe' : '';

/** uv: the user's, or PyPI's wheel of it, which contains one program. null if unavailable: pip works too. */
export async function findUv(root: string, watch: InstallWatch): Promise<string | null> {
  const kept = join(root, 'uv', uvVersion, `uv${exe}`);
  for (const program of ['uv', kept])
    try {
      await run(program, ['--version'], { timeout: 20_000, windowsHide: true });
      return program;
    } catch {
      // try the next one
    }
  try {
    const wheel = await findWheel({ project: 'uv', version: uvVersion }, watch);
    const file = join(root, 'partial', basename(new URL(wheel.url).pathname));
    await fetchFile(wheel, file, watch);
    const draft = join(root, 'uv', `${uvVersion}.draft`);
    remove(root, draft);
    await unzip(file, draft, (name) => (name.endsWith(`/scripts/uv${exe}`) ? `uv${exe}` : null), watch);
    chmodSync(join(draft, `uv${exe}`), 0o755);
    remove(root, join(root, 'uv', uvVersion));
    move(root, draft, join(root, 'uv', uvVersion));
    remove(root, file);
    return kept;
  } catch (error) {
    if (watch.signal?.aborted) throw error;
    return null;
  }
}

export const environmentPython = (folder: string): string =>
  process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');

interface EnvironmentPlan {
  /** Or the reason why none was found; then `uv` must be there, which downloads one. */
  python: Python | UserError;
  uv: string | null;
  parts: InstallParts;
  /** Downloads everything: uv links the files of its cache into environments, so what damages one damages both. */
  fresh: boolean;
}

/** Creates an environment in `folder`. @throws UserError with a remedy for errors of pip and uv */
export async function makeEnvironment(
  folder: string,
  { python: found, uv, parts, fresh }: EnvironmentPlan,
  watch: InstallWatch,
): Promise<void> {
  const python = found instanceof UserError ? null : found;
  watch.progress({ doing: 'Creating a virtual environment' });
  const wanted = requirements(parts);
  const names = wanted.filter((text) => !text.startsWith('numpy')).map((text) => text.replace('==', ' '));
  const sources = python ? await pipSources(python) : [];
  const steps = stepsOf(parts, sources, uv ? 'uv' : 'pip');
  const hashed = join(folder, 'hashed.txt');
  const doing = `Installing ${names.join(', ')}`;
  const unused = unusedPackages(parts, sources, uv ? 'uv' : 'pip');
  const fill = async (program: string, install: string[], uninstall: string[]) => {
    watch.progress({ doing });
    if (steps[0].hashed) createFile(dirname(folder), hashed, steps[0].hashed);
    for (const { hashed: lines, args } of steps)
      await work(
        program,
        [...install, ...(lines ? ['--require-hashes', '--no-deps', '-r', hashed] : []), ...args],
        watch,
      );
    if (unused.length > 0) await work(program, [...uninstall, ...unused], watch);
  };
  if (uv) {
    // Without a suitable Python, uv downloads one.
    await work(uv, ['venv', '--python', python?.path ?? '3.12', folder], watch).catch((error) => {
      throw found instanceof UserError && error instanceof UserError ? both(found, error) : error;
    });
    const cache = join(folder, 'cache');
    const own = fresh ? ['--cache-dir', cache] : [];
    const there = ['--python', environmentPython(folder)];
    await fill(uv, ['pip', 'install', ...own, ...there, ...sources], ['pip', 'uninstall', ...there]);
    return remove(dirname(folder), cache);
  }
  await work(python!.path, ['-m', 'venv', folder], watch);
  const uncached = fresh ? ['--no-cache-dir'] : [];
  const pip = (verb: string) => ['-m', 'pip', verb, '--no-input', '--disable-pip-version-check'];
  await fill(environmentPython(folder), [...pip('install'), ...uncached], [...pip('uninstall'), '--yes']);
}

/** There is no Python, and downloading one failed. */
const both = ({ message, remedy }: UserError, fetching: UserError) =>
  new UserError(`${message}, and ${fetching.message}`, {
    code: fetching.code,
    remedy: [remedy, fetching.remedy].filter(Boolean).join(' '),
  });

/** One call of pip or uv: a requirements file with hashes, to which nothing is added, or further arguments. */
interface InstallCall {
  hashed?: string;
  args: string[];
}

/**
 * Everything is checked by the hashes of python/requirements.txt, except torch and its CUDA libraries where they come
 * from PyTorch's own index, which has other builds. The user's own sources may have other files, and vLLM chooses its
 * packages for each machine: then only the versions are pinned.
 */
export function stepsOf(parts: InstallParts, sources: readonly string[], tool: 'uv' | 'pip'): InstallCall[] {
  const wanted = requirements(parts);
  const from = torchIndex(parts, sources, tool);
  if (parts.vllm || sources.length > 0) return [{ args: [...from, ...wanted] }];
  const lines = readFileSync(join(packageRoot(), 'python', 'requirements.txt'), 'utf8');
  if (from.length === 0) return [{ hashed: lines, args: [] }];
  const others = lines.split(/\n(?=\S)/).filter((one) => !/^(?:torch|triton|nvidia-.*|cuda-.*)==/.test(one));
  return [
    { hashed: `${others.join('\n')}\n`, args: [] },
    { args: [...from, ...wanted.filter((one) => /^torch==/.test(one))] },
  ];
}

/**
 * Packages of vLLM for images and audio, which the engine does not need. The user's own sources may have torch for the
 * CPU while these come from PyPI, built for CUDA: then transformers cannot be imported.
 */
export function unusedPackages(parts: InstallParts, sources: readonly string[], tool: 'uv' | 'pip'): string[] {
  const mixed = parts.vllm && parts.accelerator === 'cpu' && torchIndex(parts, sources, tool).length === 0;
  return mixed ? ['torchvision', 'torchaudio', 'torchcodec'] : [];
}

/** Package sources from pip's configuration, which uv does not read. */
async function pipSources({ path }: Pick<Python, 'path'>): Promise<string[]> {
  try {
    const { stdout } = await run(path, ['-m', 'pip', 'config', 'list'], { timeout: 60_000, windowsHide: true });
    return sourcesIn(stdout);
  } catch {
    return []; // a Python without pip
  }
}

const sourceOptions: Record<string, string> = {
  'find-links': '--find-links',
  'index-url': '--index-url',
  'extra-index-url': '--extra-index-url',
  constraint: '--constraint',
};

/** Parses lines such as `global.find-links='/opt/wheels'`. */
export function sourcesIn(listing: string): string[] {
  const found = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const [, name, values] = /^[^=]*\.([a-z-]+)='(.*)'$/.exec(line.trim()) ?? [];
    const option = sourceOptions[name];
    if (option) for (const value of values.split(/\s+|\\n/).filter(Boolean)) found.set(`${option} ${value}`, option);
  }
  const options = [...found].flatMap(([text, option]) => [option, text.slice(option.length + 1)]);
  // Like pip: the best version of all indexes, not that of the first index with the package.
  return options.includes('--extra-index-url') ? [...options, '--index-strategy', 'unsafe-best-match'] : options;
}

/**
 * The index of torch without CUDA on Linux and Windows, where PyPI's has CUDA: PyTorch's own. Users with sources of
 * their own (a mirror, a folder of wheels) get it from there.
 */
function torchIndex({ accelerator }: InstallParts, sources: readonly string[], tool: 'uv' | 'pip'): string[] {
  if (process.platform === 'darwin') return [];
  if (sources.some((text) => text === '--find-links' || text === '--index-url')) return [];
  if (accelerator === 'cpu')
    return tool === 'uv' ? ['--torch-backend', 'cpu'] : ['--extra-index-url', 'https://download.pytorch.org/whl/cpu'];
  return tool === 'uv' ? ['--torch-backend', 'auto'] : [];
}

/** Runs a program of the setup to its end. */
async function work(program: string, args: string[], { signal }: InstallWatch): Promise<void> {
  const child = spawn(program, args, {
    env: { ...process.env, UV_NO_PROGRESS: '1', UV_NO_CONFIG: '1', VIRTUAL_ENV: undefined },
    stdio: ['ignore', 'ignore', 'pipe'],
    windowsHide: true,
    signal,
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said = (said + text).slice(-16_384);
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  ).catch((error) => {
    if (signal?.aborted) throw signal.reason;
    throw new UserError(`${basename(program)} cannot be run: ${(error as Error).message}`, { code: 'python' });
  });
  if (code !== 0) throw problemOf(said, basename(program));
}

/** Turns the output of uv, pip and venv into an error with a remedy. */
export function problemOf(said: string, program: string): UserError {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const relevant = lines.filter((line) => /error|×|╰|because|no space|failed/i.test(line)).slice(-6);
  const words = (relevant.length > 0 ? relevant : lines.slice(-4)).join(' ') || 'it printed no reason';
  const [, code, remedy] = known.find(([pattern]) => pattern.test(said)) ?? [
    null,
    'python' as const,
    'Its output gives the reason. Try again, or name your own environment with --python.',
  ];
  return new UserError(`${program} could not install the engine: ${words.slice(0, 800)}`, { code, remedy });
}

const known: [RegExp, ErrorCode, string][] = [
  [
    /No space left|not enough space|Disk quota/i,
    'disk',
    'Free some space, or set DISTILLERY_ENGINE_HOME to a folder on another disk.',
  ],
  [
    /ensurepip is not|No module named '?(venv|ensurepip)/i,
    'python',
    "Install Python's venv (Debian, Ubuntu: `apt install python3-venv`), or uv.",
  ],
  [
    /No matching distribution|No solution found|no wheels? with a matching|not supported wheel/i,
    'python',
    'These versions have no wheels for this Python or machine: use Python ' +
      '3.11 to 3.13, or name your own environment with --python.',
  ],
  [
    /Connection|connect|resolve host|Network|timed? ?out|Failed to fetch|SSL|certificate/i,
    'network',
    'Check the connection and HTTPS_PROXY, then try again.',
  ],
];
