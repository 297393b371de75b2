import { execFile } from 'node:child_process';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../errors';

/** The oldest Node that hosts run in. */
const oldest = 20;

/** A Node to run a host with, and what its environment needs to be one. */
export interface NodeProgram {
  command: string;
  env: Record<string, string>;
  /** Such as `v20.20.2`. */
  version: string;
}

/** Where to look, for tests to replace. */
export interface NodePlaces {
  path: string | undefined;
  execPath: string;
  /** This process is Electron, which is a Node only when told. */
  electron: boolean;
}

const here = (): NodePlaces => ({
  path: process.env.PATH,
  execPath: process.execPath,
  electron: process.versions.electron !== undefined,
});

/**
 * The Node that the user set; without one, that of PATH when it is new enough, else the one that runs this (the
 * editor's own). Throws a UserError when the one that is set cannot be run or is too old, or when there is none.
 */
export async function findNode(setting: string | undefined, places = here()): Promise<NodeProgram> {
  if (setting) {
    const found = await tryNode(setting, {});
    if (found && isNewEnough(found.version)) return found;
    throw new UserError(
      found ? `${setting} is Node ${found.version}, which is too old` : `${setting} cannot be run as Node`,
      {
        code: 'node',
        remedy: `Set distillery.node to a Node ${oldest} or newer, or leave it empty to have one found.`,
      },
    );
  }
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (const folder of (places.path ?? '').split(delimiter)) {
    // A relative entry would be looked up in the workspace, which may bring its own `node`.
    if (!isAbsolute(folder)) continue;
    const found = await tryNode(join(folder, name), {});
    if (found && isNewEnough(found.version)) return found;
  }
  const own = await tryNode(places.execPath, places.electron ? { ELECTRON_RUN_AS_NODE: '1' } : {});
  if (own && isNewEnough(own.version)) return own;
  throw new UserError(`there is no Node ${oldest} or newer to train with`, {
    code: 'node',
    remedy: 'Install Node from https://nodejs.org, or set distillery.node to one.',
  });
}

const isNewEnough = (version: string) => Number(/^v(\d+)\./.exec(version)?.[1] ?? 0) >= oldest;

async function tryNode(command: string, env: Record<string, string>): Promise<NodeProgram | undefined> {
  try {
    const { stdout } = await promisify(execFile)(command, ['--version'], {
      env: { ...allowedEnvironment(process.env), ...env },
      timeout: 20_000,
      windowsHide: true,
    });
    return { command, env, version: stdout.trim() };
  } catch {
    return undefined;
  }
}

const allowed = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR', 'TEMP', 'TMP'],
  ...[
    'USERPROFILE',
    'USERNAME',
    'APPDATA',
    'LOCALAPPDATA',
    'SYSTEMROOT',
    'SYSTEMDRIVE',
    'WINDIR',
    'COMSPEC',
    'PATHEXT',
  ],
  ...['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'OMP_NUM_THREADS', 'SSL_CERT_FILE', 'XDG_DATA_HOME'],
  // By which a command reaches an engine on another machine.
  ...['SSH_AUTH_SOCK', 'KUBECONFIG', 'DOCKER_HOST'],
  // Where students that are named lie (src/hub/cache.ts).
  ...['HF_HOME', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'XDG_CACHE_HOME'],
];
const allowedPrefixes = [
  ...['LC_', 'CUDA_', 'NVIDIA_', 'TF_', 'DISTILLERY_'],
  // Of PyTorch engines and what they run on.
  ...['NCCL_', 'PYTORCH_', 'TORCH_', 'VLLM_', 'SLURM_'],
];

/** Of the prefixes, but for whoever asks teachers (the terminal's commands and the editor do, a host does not). */
const withheld = /(?:KEY|TOKEN|SECRET|PASSWORD)$/;

/**
 * What a host needs of an environment: no secrets that lie about in shells, and none of the editor's own variables (its
 * NODE_OPTIONS would put its debugger into the host). Names are compared as Windows does.
 */
export function allowedEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => {
      const upper = name.toUpperCase();
      if (withheld.test(upper)) return false;
      return allowed.includes(upper) || allowedPrefixes.some((prefix) => upper.startsWith(prefix));
    }),
  );
}
