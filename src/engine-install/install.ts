/**
 * Sets up the PyTorch engine for this user: creates or adopts an environment, tests it through the protocol, saves it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { InstallWatch } from '../backend-install/report';
import { checkSpace, guardDisk } from '../disk';
import {
  engineFolder,
  engineRecord,
  type InstalledEngine,
  pythonEngine,
  readInstalledEngine,
} from '../engine/process/installed';
import { verifyEngine } from '../engine/process/verify';
import { UserError } from '../errors';
import { hasGpuDriver } from '../kernels/tensorflow/probe';
import { makeFolder, remove, replaceText } from '../writing';
import { environmentPython, findUv, makeEnvironment } from './packages';
import { type Accelerator, bytesNeeded, type InstallParts, requirements } from './pins';
import { checkOwn, findPython, programOf } from './python';

export interface EngineInstallOptions {
  /** Default: cuda if a GPU driver is installed. */
  accelerator?: Accelerator;
  vllm: boolean;
  /** The user's own environment, which is not changed: its Python, or its folder. */
  python?: string;
  /** Downloads every package again, whatever a cache has. */
  fresh?: boolean;
}

/** The packages to download, for the user's consent. */
export interface InstallPlan {
  packages: string[];
  bytes: number;
  folder: string;
}

/** Sets the engine up. An earlier setup stays until the new one has passed its test. @throws UserError */
export async function installEngine(
  options: EngineInstallOptions,
  consent: (plan: InstallPlan) => Promise<boolean>,
  watch: InstallWatch,
): Promise<InstalledEngine> {
  const root = engineFolder();
  const parts: InstallParts = {
    accelerator: options.accelerator ?? (hasGpuDriver() ? 'cuda' : 'cpu'),
    vllm: options.vllm,
  };
  guardDisk(root, 'nothing was set up', () => makeFolder(root, root));
  if (options.python) {
    const python = programOf(options.python);
    watch.progress({ doing: 'Checking the environment' });
    await checkOwn(python);
    return tryAndRemember(root, { python, own: true, parts }, watch);
  }
  if (parts.accelerator === 'cuda' && !hasGpuDriver())
    throw new UserError('no driver of an NVIDIA GPU is found here, and nothing was downloaded', {
      code: 'backend',
      remedy:
        'Does `nvidia-smi` show the card? In a container it must be passed in (`--gpus all`). ' +
        'Without a GPU: `distillery engine install --cpu`.',
    });
  const python = await findPython();
  const plan = { packages: requirements(parts), bytes: bytesNeeded(parts), folder: root };
  checkSpace(root, plan.bytes, 'DISTILLERY_ENGINE_HOME');
  if (!(await consent(plan)))
    throw new UserError('nothing was downloaded', {
      code: 'consent',
      remedy: 'Name your own environment with --python.',
    });
  watch.progress({ doing: 'Looking for uv' });
  const uv = await findUv(root, watch);
  if (python instanceof UserError && !uv) throw python;
  const folder = join(root, `environment-${Date.now()}`);
  try {
    await makeEnvironment(folder, { python, uv, parts, fresh: options.fresh ?? false }, watch);
    const made = await tryAndRemember(root, { python: environmentPython(folder), own: false, parts }, watch);
    removeEnvironments(root, folder);
    return made;
  } catch (error) {
    remove(root, folder);
    throw error;
  }
}

async function tryAndRemember(
  root: string,
  { python, own, parts }: { python: string; own: boolean; parts: InstallParts },
  watch: InstallWatch,
): Promise<InstalledEngine> {
  watch.progress({ doing: 'Testing sampling and a gradient' });
  const remedy = own
    ? 'Repair this environment, or run `distillery engine install` without --python to create one.'
    : undefined;
  const { hello, description, tokensPerSecond } = await verifyEngine(
    { ...pythonEngine(python, { origin: python, vllm: parts.vllm }), remedy },
    watch.signal,
  );
  if (parts.accelerator === 'cuda' && hello.device === 'cpu' && !own)
    throw new UserError(`torch does not find a GPU (${hello.versions.torch})`, {
      code: 'backend',
      remedy:
        'Does `nvidia-smi` show the card, and is its driver new enough for this ' +
        'CUDA? Without a GPU: `distillery engine install --cpu`.',
    });
  const made: InstalledEngine = {
    version: 1,
    python,
    own,
    vllm: parts.vllm,
    accelerator: hello.device === 'cuda' ? 'cuda' : 'cpu',
    versions: hello.versions,
    description,
    tokensPerSecond,
    installedAt: new Date().toISOString(),
  };
  guardDisk(root, 'the engine works, but is not set up', () =>
    replaceText(root, engineRecord(root), `${JSON.stringify(made, null, 2)}\n`),
  );
  return made;
}

/**
 * Sets up the same again, from new downloads, with the versions of this Distillery; the user's own environment is only
 * tested again.
 */
export async function repairEngine(watch: InstallWatch): Promise<InstalledEngine> {
  const before = tryReading();
  if (!before)
    throw new UserError('no readable setup was found', {
      code: 'backend',
      remedy: 'Set it up again: `distillery engine install`.',
    });
  const { own, python, accelerator, vllm } = before;
  return installEngine({ accelerator, vllm, python: own ? python : undefined, fresh: true }, async () => true, watch);
}

/** Deletes what was set up; the user's own environment stays. Returns the folder, or null if there was none. */
export function uninstallEngine(): string | null {
  const root = engineFolder();
  if (!existsSync(root)) return null;
  guardDisk(root, 'some files may remain', () => remove(dirname(root), root));
  return root;
}

function tryReading(): InstalledEngine | null {
  try {
    return readInstalledEngine();
  } catch {
    return null;
  }
}

/** Environments of earlier and failed setups. */
function removeEnvironments(root: string, kept: string): void {
  for (const name of readdirSync(root))
    if (name.startsWith('environment-') && join(root, name) !== kept) remove(root, join(root, name));
}
