/** Runs code-server on 127.0.0.1 with its own profile, and ends all processes that it started. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/testing/ports';
import type { Workbench } from './install';

type CodeServer = Omit<Workbench, 'browser'>;

export interface ServerOptions {
  /** The extension to install into the fresh profile. */
  vsix?: string;
  /** Lets the page's address name an extension under development; hides notification toasts. */
  development?: boolean;
  /** Show the workspace trust prompt, as a fresh VS Code does. */
  trust?: boolean;
  settings?: Record<string, unknown>;
  env?: Record<string, string>;
  port?: number;
  /** Where the server's own log goes. */
  log?: string;
}

export interface Server {
  /** host:port of the page's address. */
  authority: string;
  /** A temporary folder that is HOME of all processes of the server; deleted by close(). */
  home: string;
  /** Address of a folder's window, optionally with a development extension (and the tests to run in it). */
  url(folder: string, extension?: { path: string; tests?: string }): string;
  /** Ends the server, the extension hosts and all processes that they started. */
  close(): Promise<void>;
}

/** Settings that keep distractions out of tests, and restore defaults of the desktop. */
const workbenchSettings = {
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'chat.disableAIFeatures': true,
  'git.enabled': false,
  'json.schemaDownload.enable': false,
  'files.autoSave': 'off', // the web's default is afterDelay, the desktop's is off
  'security.workspace.trust.banner': 'never',
};

export async function startServer(workbench: CodeServer, options: ServerOptions = {}): Promise<Server> {
  const home = fs.mkdtempSync(join(tmpdir(), 'distillery-workbench-'));
  fs.mkdirSync(join(home, 'data/User'), { recursive: true });
  fs.mkdirSync(join(home, 'tmp'));
  fs.writeFileSync(join(home, 'config.yaml'), 'auth: none\n');
  const settings = {
    ...workbenchSettings,
    'security.workspace.trust.enabled': options.trust ?? false,
    ...options.settings,
  };
  fs.writeFileSync(join(home, 'data/User/settings.json'), JSON.stringify(settings, null, 1));
  const profile = [
    ...['--config', join(home, 'config.yaml')],
    ...['--user-data-dir', join(home, 'data')],
    ...['--extensions-dir', join(home, 'extensions')],
  ];
  const env = environment(home, options.env);
  if (options.vsix) installExtension(workbench, options.vsix, { profile, env, extensions: join(home, 'extensions') });
  const port = options.port ?? (await freePort());
  const server = spawn(workbench.node, [workbench.entry, ...profile, ...flags(port, options)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // its own process group, so that close() ends all of it
  });
  const log = fs.createWriteStream(options.log ?? join(home, 'server.log'));
  server.stdout.pipe(log);
  server.stderr.pipe(log);
  const close = () => closeServer(server, home);
  try {
    await waitUntilHealthy(server, port);
  } catch (error) {
    await close();
    throw error;
  }
  const authority = `127.0.0.1:${port}`;
  return { authority, home, close, url: (folder, extension) => address(authority, folder, extension) };
}

function flags(port: number, { development, trust }: ServerOptions): string[] {
  return [
    ...['--bind-addr', `127.0.0.1:${port}`, '--auth', 'none', '--ignore-last-opened'],
    ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override', '--disable-proxy'],
    ...(trust ? [] : ['--disable-workspace-trust']),
    // Without it a built workbench ignores the address's extensionDevelopmentPath, silently.
    ...(development ? ['--vscode-option', 'enable-smoke-test-driver'] : []),
  ];
}

function environment(home: string, changes: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    HOME: home,
    TMPDIR: join(home, 'tmp'),
    EXTENSIONS_GALLERY: '{"serviceUrl":""}', // no gallery: the browser asks no outside host
    ...changes,
  };
  // The first two point outside of HOME; the others are set in a terminal of another VS Code, or by `npm run`.
  const foreign = /^(XDG_CONFIG_HOME|XDG_DATA_HOME|VSCODE_.*|npm_.*|NODE_OPTIONS)$/;
  for (const name of Object.keys(env)) if (foreign.test(name)) delete env[name];
  return env;
}

/** Extensions installed by this process, by package file, for copying: installing takes seconds. */
const installed = new Map<string, string>();
process.on('exit', () => {
  for (const folder of installed.values()) fs.rmSync(folder, { recursive: true, force: true });
});

interface Profile {
  profile: string[];
  env: NodeJS.ProcessEnv;
  extensions: string;
}

function installExtension(workbench: CodeServer, file: string, { profile, env, extensions }: Profile): void {
  const copy = installed.get(file);
  if (copy) {
    fs.cpSync(copy, extensions, { recursive: true });
    return;
  }
  const args = [workbench.entry, ...profile, '--install-extension', file, '--force'];
  const { status, stdout, stderr } = spawnSync(workbench.node, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`Installing ${file} failed:\n${stdout}${stderr}`);
  installed.set(file, fs.mkdtempSync(join(tmpdir(), 'distillery-extensions-')));
  fs.cpSync(extensions, installed.get(file)!, { recursive: true });
}

async function waitUntilHealthy(server: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && server.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('code-server did not start');
}

function address(authority: string, folder: string, extension?: { path: string; tests?: string }): string {
  const remote = (path: string) => `vscode-remote://${authority}${path}`;
  const payload: [string, string][] = [];
  if (extension) payload.push(['extensionDevelopmentPath', remote(extension.path)]);
  if (extension?.tests) payload.push(['extensionTestsPath', remote(extension.tests)]);
  const query = new URLSearchParams({ folder });
  if (payload.length > 0) query.set('payload', JSON.stringify(payload));
  return `http://${authority}/?${query}`;
}

async function closeServer(server: ChildProcess, home: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const exited = new Promise((resolve) => server.on('exit', resolve));
    const late = setTimeout(() => server.kill('SIGKILL'), 10_000);
    server.kill('SIGTERM');
    await exited;
    clearTimeout(late);
  }
  killGroup(server.pid!);
  // Training hosts are detached by design; they are recognized by their environment.
  for (const pid of processesUsing(home)) kill(pid);
  fs.rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}

/** The extension host and its language servers end a moment after the server. */
function killGroup(pid: number): void {
  kill(-pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has already ended.
  }
}

/** Processes whose environment contains the folder and whose command line contains the words. */
export function processesUsing(folder: string, words = ''): number[] {
  if (!fs.existsSync('/proc/self/environ')) return [];
  const has = (pid: string, file: string, text: string) => {
    try {
      return fs.readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(text);
    } catch {
      return false; // another user's process, or ended
    }
  };
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => has(pid, 'environ', folder) && has(pid, 'cmdline', words))
    .map(Number);
}
