/** Setting TensorFlow up for this user: found or fetched, the binding built, tried, remembered. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { guardDisk } from '../disk';
import { UserError } from '../errors';
import { type Installed, readInstalled, recordFile, tensorFlowFolder } from '../kernels/tensorflow/installed';
import { type ProbeResult, probe } from '../kernels/tensorflow/probe';
import { makeFolder, remove, replaceText } from '../writing';
import { buildBinding, findCompiler } from './build';
import { fetchTfjsNode, nodeApiInclude } from './npm';
import { bindingFile } from './places';
import { chooseWheel, fetchWheel, type Wheel } from './pypi';
import type { Watch } from './report';
import { findSource, folderSource, type Source } from './source';

export interface InstallOptions {
  /** A Python program, site-packages/tensorflow, or an unpacked libtensorflow. */
  from?: string;
  /** It is to compute on a GPU; otherwise the CPU is enough. */
  gpu: boolean;
  /** PyPI's wheel is fetched: always, where no TensorFlow is found, or never. `consent` is asked before. */
  download: 'always' | 'if-needed' | 'never';
  version?: string;
}

/** Sets TensorFlow up. What was set up before stays until the new one has been tried. @throws UserError */
export async function installTensorFlow(
  options: InstallOptions,
  consent: (wheel: Wheel) => Promise<boolean>,
  watch: Watch,
): Promise<Installed> {
  if (process.platform === 'win32')
    throw new UserError('the binding is not built on Windows', {
      code: 'tensorflow',
      remedy:
        'Install the packaged one: `npm install @tensorflow/tfjs-node@4.22.0`; or use WSL, where a GPU works, too.',
    });
  const root = tensorFlowFolder();
  guardDisk(root, 'nothing was set up', () => makeFolder(root, root));
  const compiler = await findCompiler(); // before anything is fetched
  const source = await chooseSource(options, root, consent, watch);
  watch.signal?.throwIfAborted();
  watch.progress({ doing: "Fetching the binding's sources" });
  const tfjsNode = await fetchTfjsNode(root, watch);
  const nodeApi = await nodeApiInclude(root, watch);
  const before = existsSync(recordFile(root)) ? tryReading(root) : null;
  await buildBinding(root, source, { tfjsNode, nodeApi, compiler }, watch);
  const record: Installed = {
    version: 1,
    binding: bindingFile(root),
    package: tfjsNode,
    tensorflow: source,
    gpu: options.gpu,
    platform: `${process.platform}-${process.arch}`,
    compiler: compiler.version,
    builtAt: new Date().toISOString(),
  };
  remember(root, record);
  watch.progress({ doing: 'Trying a product and a gradient in a process of its own' });
  const result = await probe({ gpu: options.gpu, folder: root }, { signal: watch.signal });
  if (!result.works) {
    // The CPU may do where the GPU does not, and a set-up that worked before is rebuilt by `repair`.
    const cpu = options.gpu ? await probe({ gpu: false, folder: root }, { signal: watch.signal }) : result;
    if (before && !cpu.works) remember(root, before);
    else if (!cpu.works) remove(root, recordFile(root));
    else remember(root, { ...record, gpu: false, tensorflow: { ...source, version: cpu.version ?? source.version } });
    throw failure(result, source, options.gpu && cpu.works);
  }
  const done = { ...record, tensorflow: { ...source, version: result.version ?? source.version } };
  remember(root, done);
  return done;
}

async function chooseSource(
  { from, gpu, download, version }: InstallOptions,
  root: string,
  consent: (wheel: Wheel) => Promise<boolean>,
  watch: Watch,
): Promise<Source> {
  if (download !== 'always') {
    watch.progress({ doing: 'Looking for a TensorFlow' });
    const found = await findSource(from);
    if (found) return found;
  }
  if (download !== 'never') {
    const wheel = await chooseWheel({ gpu, version }, watch);
    if (await consent(wheel)) return fetchWheel(wheel, root, watch);
  }
  throw new UserError('no TensorFlow is found', {
    code: 'missing',
    remedy:
      'Name one by --from, install one (`pip install ' +
      `${gpu ? '"tensorflow[and-cuda]"' : 'tensorflow-cpu'}\`), or let it be ` +
      'fetched: --download.',
  });
}

function failure({ reason, remedy }: ProbeResult, { version, origin }: Source, onCpu: boolean): UserError {
  const rest = onCpu ? ' It works on the CPU, and is set up for that.' : '';
  return new UserError(`TensorFlow ${version} (${origin}) was built for, and does not work: ${reason}.${rest}`, {
    code: 'tensorflow',
    remedy:
      remedy ?? 'docs/tensorflow.md lists what was tried; `distillery backend install --download` takes one of those.',
  });
}

/** Builds and tries again what was set up, from the same TensorFlow where it still is. */
export async function repairTensorFlow(watch: Watch): Promise<Installed> {
  const root = tensorFlowFolder();
  const before = tryReading(root);
  const folder = before && dirname(before.tensorflow.libraries[0]);
  if (!before || !folder || !existsSync(folder))
    throw new UserError(before ? `TensorFlow is no longer at ${folder}` : 'nothing that can be read was set up', {
      code: 'tensorflow',
      remedy: 'Set it up anew: `distillery backend install`.',
    });
  const { include, libraries, origin } = folderSource(folder, before.tensorflow.origin);
  remove(root, before.package);
  return installTensorFlow(
    { from: dirname(libraries[0]) === folder ? folder : include, gpu: before.gpu, download: 'never' },
    async () => false,
    watch,
  ).then((made) => {
    const record = { ...made, tensorflow: { ...made.tensorflow, origin } };
    remember(root, record);
    return record;
  });
}

/**
 * Deletes what was set up and fetched; a TensorFlow of the user's own stays. Returns the folder, null where there was
 * none.
 */
export function uninstallTensorFlow(): string | null {
  const root = tensorFlowFolder();
  if (!existsSync(root)) return null;
  guardDisk(root, 'some of it may be left', () => remove(dirname(root), root));
  return root;
}

function tryReading(root: string): Installed | null {
  try {
    return readInstalled(root);
  } catch {
    return null;
  }
}

const remember = (root: string, record: Installed) =>
  replaceText(root, recordFile(root), `${JSON.stringify(record, null, 2)}\n`);
