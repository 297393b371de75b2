/**
 * Installs a real VS Code for machines without a desktop, once, into a cache outside the repository: code-server from
 * the npm registry (with the Node that it requires, also from there) and a Chromium. Run alone: `npx tsx
 * scripts/workbench/install.ts`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { UserError } from '../../src/errors';
import { acquireLock } from '../../src/runs/lock';

/** VS Code 1.139.1. */
const codeServer = '4.139.1';
/** code-server 4.133 and later run on Node 24 only. */
const node = '24.9.0';

export interface Workbench {
  /** The Node that code-server runs on. */
  node: string;
  /** code-server's entry point. */
  entry: string;
  /** A Chromium's executable. */
  browser: string;
}

export async function installWorkbench(): Promise<Workbench> {
  return { ...(await installCodeServer()), browser: await installBrowser() };
}

/**
 * The workbench for tests; null, after printing the reason, if the environment disables them or it cannot be installed
 * (no network, not Linux). DISTILLERY_REQUIRE_WORKBENCH=1 makes the latter an error.
 */
export async function workbenchForTests(): Promise<Workbench | null> {
  const leftOut = (why: string) => {
    console.error(`\nNOT RUN: the tests in VS Code. ${why}\n`);
    return null;
  };
  if (process.env.DISTILLERY_SKIP_WORKBENCH === '1') return leftOut('DISTILLERY_SKIP_WORKBENCH=1 asks for that.');
  try {
    return await installWorkbench();
  } catch (error) {
    const unavailable = error instanceof UserError && error.code === 'unavailable';
    if (!unavailable || process.env.DISTILLERY_REQUIRE_WORKBENCH === '1') throw error;
    return leftOut(error.toString());
  }
}

const cache =
  process.env.DISTILLERY_WORKBENCH_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'distillery', 'workbench');

export async function installCodeServer(): Promise<Omit<Workbench, 'browser'>> {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new UserError(`code-server is installed on Linux only, and this is ${process.platform}-${process.arch}.`, {
      code: 'unavailable',
      remedy: 'Use the desktop: npm run test:desktop.',
    });
  }
  const nodePackage = `node-linux-${process.arch}`;
  const folder = join(cache, `code-server-${codeServer}`);
  // The folder is renamed once it is complete, so that a partial installation is never used.
  if (!existsSync(folder)) {
    await locked(async () => {
      if (existsSync(folder)) return;
      console.error(`Installing code-server ${codeServer} into ${folder} (once; a minute, 800 MB)`);
      const work = mkdtempSync(join(cache, 'installing-'));
      try {
        await installInto(work, nodePackage);
        renameSync(work, folder);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    });
  }
  const modules = join(folder, 'node_modules');
  return { node: join(modules, nodePackage, 'bin', 'node'), entry: join(modules, 'code-server', 'out/node/entry.js') };
}

/**
 * Does what code-server's postinstall does, except for modules that need development packages of the system and are not
 * used here.
 */
async function installInto(folder: string, nodePackage: string): Promise<void> {
  const dependencies = { 'code-server': codeServer, [nodePackage]: node };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const install = ['install', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const vscode = join(folder, 'node_modules/code-server/lib/vscode');
  await npm(folder, install);
  await npm(vscode, install);
  await npm(join(vscode, 'extensions'), install);
  // The only native modules without prebuilt binaries in the packages.
  const home = join(folder, 'node_modules', nodePackage);
  await npm(vscode, ['rebuild', '--loglevel=error', '@vscode/spdlog', '@vscode/native-watchdog'], {
    PATH: `${join(home, 'bin')}:${process.env.PATH}`,
    npm_config_nodedir: home,
  });
}

async function npm(folder: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const { code, output } = await run('npm', args, { cwd: folder, env: { ...process.env, ...env } });
  if (code !== 0) {
    throw new UserError(`npm ${args[0]} of code-server failed in ${folder}:\n${output.trim()}`, {
      code: 'unavailable',
      remedy: 'It needs the npm registry, python3, make and a C++ compiler.',
    });
  }
}

export async function installBrowser(): Promise<string> {
  const found = findBrowser();
  if (found) return found;
  return locked(async () => {
    const tried: string[] = [];
    for (const [program, ...args] of waysToABrowser()) {
      if (findBrowser()) break;
      console.error(`Installing Chromium: ${program} ${args.join(' ')}`);
      const { code, output } = await run(program, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
      if (code !== 0) tried.push(`${program} ${args.join(' ')}: ${output.trim().split('\n').at(-1)}`);
    }
    const browser = findBrowser();
    if (browser) return browser;
    throw new UserError(`No Chromium here, and it could not be installed:\n${tried.join('\n')}`, {
      code: 'unavailable',
      remedy: 'Install Chromium or Chrome, or name one in CHROME_PATH.',
    });
  });
}

function findBrowser(): string | undefined {
  const named = process.env.CHROME_PATH;
  if (named) {
    if (existsSync(named)) return named;
    throw new UserError(`CHROME_PATH names ${named}, which does not exist.`, {
      remedy: 'Name a Chromium or Chrome, or unset it.',
    });
  }
  const folders = (process.env.PATH ?? '').split(':');
  const programs = ['chromium', 'google-chrome', 'google-chrome-stable', 'chromium-browser', 'microsoft-edge'];
  const candidates = programs.flatMap((name) => folders.map((folder) => join(folder, name)));
  // Ubuntu's /usr/bin/chromium-browser may be a script that only tells the user to install a snap.
  const works = (file: string) => existsSync(file) && spawnSync(file, ['--version']).status === 0;
  return candidates.find(works) ?? [chromium.executablePath()].find(existsSync);
}

function waysToABrowser(): string[][] {
  const playwright = [process.execPath, join(require.resolve('playwright-core/package.json'), '../cli.js')];
  const root = process.getuid?.() === 0;
  if (!root || spawnSync('apt-get', ['--version']).status !== 0) return [[...playwright, 'install', 'chromium']];
  const install = [
    'apt-get',
    'install',
    '-y',
    '--no-install-recommends',
    'chromium',
    'fonts-dejavu',
    'fonts-liberation',
  ];
  return [['apt-get', 'update'], install, [...playwright, 'install', '--with-deps', 'chromium']];
}

/** One installation at a time. */
async function locked<T>(work: () => Promise<T>): Promise<T> {
  mkdirSync(cache, { recursive: true });
  for (;;) {
    const lock = tryLock();
    if (!lock) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      continue;
    }
    try {
      return await work();
    } finally {
      lock.release();
    }
  }
}

function tryLock() {
  try {
    return acquireLock(cache);
  } catch (error) {
    if (error instanceof UserError && error.code === 'locked') return undefined;
    throw error;
  }
}

function run(program: string, args: string[], options: object): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('error', (error) => resolve({ code: null, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

if (require.main === module) {
  installWorkbench().then(
    (workbench) => console.log(JSON.stringify(workbench, null, 2)),
    (error) => {
      console.error(error instanceof UserError ? error.toString() : error);
      process.exit(1);
    },
  );
}
