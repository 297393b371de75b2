/** The TensorFlow set up for this user (`distillery backend install`), and packages installed with npm. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { dataFolder, packageRoot } from '../../paths';

const record = z.object({
  version: z.literal(1),
  /** tfjs_binding.node, built for the libraries of `tensorflow.libraries`. */
  binding: z.string(),
  /** The folder of the matching @tensorflow/tfjs-node, with dist/. */
  package: z.string(),
  tensorflow: z.object({
    version: z.string(),
    /** Folder of the headers. */
    include: z.string(),
    /** The files that the binding is linked to; they stay in their place. */
    libraries: z.array(z.string()),
    /** Its origin in words. */
    origin: z.string(),
  }),
  /** It was set up for a GPU, which worked in the test. */
  gpu: z.boolean(),
  platform: z.string(),
  compiler: z.string(),
  builtAt: z.string(),
});

/** The result of a successful setup, saved in `installed.json`. */
export type Installed = z.infer<typeof record>;

/** A binding and the package it belongs to. */
export interface FoundBinding {
  binding: string;
  package: string;
  origin: string;
}

/** The user's data folder for TensorFlow: DISTILLERY_TENSORFLOW, or the system's usual place. */
export const tensorFlowFolder = (): string => process.env.DISTILLERY_TENSORFLOW || dataFolder('tensorflow');

export const recordFile = (folder: string): string => join(folder, 'installed.json');

/** The setup in that folder; null if there is none. @throws Error when the record is damaged */
export function readInstalled(folder = tensorFlowFolder()): Installed | null {
  const file = recordFile(folder);
  if (!existsSync(file)) return null;
  try {
    return record.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new Error(`${file} is damaged; \`distillery backend repair\` restores it`);
  }
}

/**
 * The binding to use: the one set up, else that of the npm package, searched from `from` (the project) and beside this
 * program.
 * @throws Error that says why there is none
 */
export function findTensorFlow(packageName: string, from = process.cwd()): FoundBinding {
  const installed = readInstalled();
  if (installed) {
    const missing = [installed.binding, installed.package, ...installed.tensorflow.libraries].find(
      (path) => !existsSync(path),
    );
    if (missing) throw new Error(`the setup is incomplete, ${missing} is missing: \`distillery backend repair\``);
    return { ...installed, origin: installed.tensorflow.origin };
  }
  for (const folder of [from, packageRoot()]) {
    const place = resolvePackage(packageName, folder);
    if (!place) continue;
    const binding = builtBinding(place);
    if (binding) return { binding, package: place, origin: packageName };
    throw new Error(`${place} was installed without its native part (npm ran no install script, or it failed)`);
  }
  throw new Error(`no TensorFlow was set up, and ${packageName} is not installed`);
}

function resolvePackage(name: string, from: string): string | null {
  try {
    return dirname(createRequire(join(from, 'package.json')).resolve(`${name}/package.json`));
  } catch {
    return null;
  }
}

/** The binding for the newest supported Node-API version. */
function builtBinding(place: string): string | null {
  const lib = join(place, 'lib');
  if (!existsSync(lib)) return null;
  const versions = readdirSync(lib)
    .map((name) => Number(/^napi-v(\d+)$/.exec(name)?.[1]))
    .filter((version) => version <= Number(process.versions.napi))
    .sort((a, b) => b - a);
  const files = versions.map((version) => join(lib, `napi-v${version}`, 'tfjs_binding.node'));
  return files.find((file) => existsSync(file)) ?? null;
}
