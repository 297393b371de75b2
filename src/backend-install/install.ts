/** Sets TensorFlow up for this user: finds or downloads it, builds the binding, tests it, and saves the result. */
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
import type { InstallWatch } from './report';
import { findSource, folderSource, type TensorFlowSource } from './source';

export interface InstallOptions {
  /** A Python program, site-packages/tensorflow, or an unpacked libtensorflow. */
  from?: string;
  /** It must compute on a GPU; otherwise a CPU suffices. */
  gpu: boolean;
  /** When to download PyPI's wheel: always, if no TensorFlow is found, or never. `consent` is asked first. */
  download: 'always' | 'if-needed' | 'never';
  version?: string;
}

/** Sets TensorFlow up. An earlier setup stays until the new one has passed its test. @throws UserError */
export async function installTensorFlow(
  options: InstallOptions,
  consent: (wheel: Wheel) => Promise<boolean>,
  watch: InstallWatch,
): Promise<Installed> {
  if (process.platform === 'win32')
    throw new UserError('the binding is not built on Windows', {
      code: 'tensorflow',
      remedy:
        'Install the packaged one: `npm install @tensorflow/tfjs-node@4.22.0`; or use WSL, where a GPU works, too.',
    });
  const root = tensorFlowFolder();
  guardDisk(root, 'nothing was set up', () => makeFolder(root, root));
  const compiler = await findCompiler(); // checked before anything is downloaded
  const source = await chooseSource(options, root, consent, watch);
  watch.signal?.throwIfAborted();
  watch.progress({ doing: "Downloading the binding's sources" });
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
  watch.progress({ doing: 'Testing a matrix product and a gradient in a process of its own' });
  const result = await probe({ gpu: options.gpu, folder: root }, { signal: watch.signal });
  if (!result.works) {
    // The CPU may work where the GPU does not, and an earlier working setup is rebuilt by `repair`.
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
  watch: InstallWatch,
): Promise<TensorFlowSource> {
  if (download !== 'always') {
    watch.progress({ doing: 'Looking for a TensorFlow' });
    const found = await findSource(from);
    if (found) return found;
  }
  if (download !== 'never') {
    const wheel = await chooseWheel({ gpu, version }, watch);
    if (await consent(wheel)) return fetchWheel(wheel, root, watch);
  }
  throw new UserError('no TensorFlow was found', {
    code: 'missing',
    remedy:
      'Name one with --from, install one (`pip install ' +
      `${gpu ? '"tensorflow[and-cuda]"' : 'tensorflow-cpu'}\`), or download ` +
      'one: --download.',
  });
}

function failure({ reason, remedy }: ProbeResult, { version, origin }: TensorFlowSource, onCpu: boolean): UserError {
  const rest = onCpu ? ' It works on the CPU, and was set up for that.' : '';
  return new UserError(
    `the binding was built for TensorFlow ${version} (${origin}) but does not work: ${reason}.${rest}`,
    {
      code: 'tensorflow',
      remedy:
        remedy ?? 'docs/tensorflow.md lists tested versions; `distillery backend install --download` uses one of them.',
    },
  );
}

/** Rebuilds and tests the current setup, from the same TensorFlow if it still exists. */
export async function repairTensorFlow(watch: InstallWatch): Promise<Installed> {
  const root = tensorFlowFolder();
  const before = tryReading(root);
  const folder = before && dirname(before.tensorflow.libraries[0]);
  if (!before || !folder || !existsSync(folder))
    throw new UserError(before ? `TensorFlow is no longer at ${folder}` : 'no readable setup was found', {
      code: 'tensorflow',
      remedy: 'Set it up again: `distillery backend install`.',
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
 * Deletes everything that was set up and downloaded; the user's own TensorFlow stays. Returns the folder, or null if
 * there was none.
 */
export function uninstallTensorFlow(): string | null {
  const root = tensorFlowFolder();
  if (!existsSync(root)) return null;
  guardDisk(root, 'some files may remain', () => remove(dirname(root), root));
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
