import { execFile } from 'node:child_process';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../errors';

/** The oldest supported Node version. */
const oldest = 20;

/** A Node to run a host with, and the environment variables that it needs. */
export interface NodeProgram {
  command: string;
  env: Record<string, string>;
  /** Such as `v20.20.2`. */
  version: string;
}

/** Inputs of the search, replaceable in tests. */
export interface NodePlaces {
  path: string | undefined;
  execPath: string;
  /** Electron acts as Node only with this variable. */
  electron: boolean;
}

const nodePlaces = (): NodePlaces => ({
  path: process.env.PATH,
  execPath: process.execPath,
  electron: process.versions.electron !== undefined,
});

/**
 * The Node set by the user; otherwise that of PATH if it is new enough, else the one that runs this process (the
 * editor's own). @throws UserError when the configured one cannot be run or is too old, or when none is found
 */
export async function findNode(setting: string | undefined, places = nodePlaces()): Promise<NodeProgram> {
  if (setting) {
    const found = await tryNode(setting, {});
    if (found && isNewEnough(found.version)) return found;
    throw new UserError(
      found ? `${setting} is Node ${found.version}, which is too old` : `${setting} cannot be run as Node`,
      {
        code: 'node',
        remedy: `Set distillery.node to a Node ${oldest} or newer, or leave it empty to search for one.`,
      },
    );
  }
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (const folder of (places.path ?? '').split(delimiter)) {
    // Not by `which`: a relative entry would be resolved in the workspace, which may contain its own `node`.
    if (!isAbsolute(folder)) continue;
    const found = await tryNode(join(folder, name), {});
    if (found && isNewEnough(found.version)) return found;
  }
  const own = await tryNode(places.execPath, places.electron ? { ELECTRON_RUN_AS_NODE: '1' } : {});
  if (own && isNewEnough(own.version)) return own;
  throw new UserError(`there is no Node ${oldest} or newer for training`, {
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
  // Needed by commands that reach an engine on another machine.
  ...['SSH_AUTH_SOCK', 'KUBECONFIG', 'DOCKER_HOST'],
  // Where students given by name are stored (src/hub/cache.ts).
  ...['HF_HOME', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'XDG_CACHE_HOME'],
];
const allowedPrefixes = [
  ...['LC_', 'CUDA_', 'NVIDIA_', 'TF_', 'DISTILLERY_'],
  // For PyTorch engines and their libraries.
  ...['NCCL_', 'PYTORCH_', 'TORCH_', 'VLLM_', 'SLURM_'],
];

/**
 * Secrets among the variables with these prefixes: of teachers, which only clients need (terminal commands and the
 * editor, not a host), and of clusters, such as SLURM_JWT.
 */
const secretVariables =
  /(?:(?:^|_|API|AUTH|ACCESS)KEYS?|TOKEN|SECRETS?|PASS(?:WORD|WD|PHRASE)|_PASS|CREDENTIALS?|JWT)(?:_|\d|$)/;

/**
 * The environment of a host: without secrets from the shell, and without the editor's own variables (its NODE_OPTIONS
 * would attach its debugger to the host). Names are compared ignoring case, as on Windows.
 */
export function allowedEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => {
      const upper = name.toUpperCase();
      if (secretVariables.test(upper)) return false;
      return allowed.includes(upper) || allowedPrefixes.some((prefix) => upper.startsWith(prefix));
    }),
  );
}
