/** The TensorFlow that was set up for this user (`distillery backend install`), and the packages that npm installed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { dataFolder, packageRoot } from '../../paths';

const record = z.object({
  version: z.literal(1),
  /** tfjs_binding.node, built for the libraries of `tensorflow.libraries`. */
  binding: z.string(),
  /** The folder of @tensorflow/tfjs-node whose dist/ goes with it. */
  package: z.string(),
  tensorflow: z.object({
    version: z.string(),
    /** Folder that holds the headers. */
    include: z.string(),
    /** The files that the binding is linked to; they stay where they are. */
    libraries: z.array(z.string()),
    /** As a person would say where it came from. */
    origin: z.string(),
  }),
  /** It was asked for the sake of a GPU, and one computed when it was verified. */
  gpu: z.boolean(),
  platform: z.string(),
  compiler: z.string(),
  builtAt: z.string(),
});

/** What a successful set-up remembers, in `installed.json`. */
export type Installed = z.infer<typeof record>;

/** A binding and the package it belongs to. */
export interface Found {
  binding: string;
  package: string;
  origin: string;
  installed?: Installed;
}

/** The user's data folder for TensorFlow: DISTILLERY_TENSORFLOW, or where the system keeps such data. */
export const tensorFlowFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  env.DISTILLERY_TENSORFLOW || dataFolder('tensorflow', env);

export const recordFile = (folder: string): string => join(folder, 'installed.json');

/** What was set up in that folder; null where nothing was. @throws Error when the record is damaged. */
export function readInstalled(folder = tensorFlowFolder()): Installed | null {
  const file = recordFile(folder);
  if (!existsSync(file)) return null;
  try {
    return record.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new Error(`${file} is damaged; \`distillery backend repair\` writes it anew`);
  }
}

/**
 * The binding to use: what was set up, else the npm package, looked for from `from` (the project) and beside this
 * program.
 * @throws Error that says why there is none.
 */
export function findTensorFlow(packageName: string, from = process.cwd()): Found {
  const installed = readInstalled();
  if (installed) {
    const missing = [installed.binding, installed.package, ...installed.tensorflow.libraries].find(
      (path) => !existsSync(path),
    );
    if (missing)
      throw new Error(`what was set up is no longer whole, ${missing} is missing: \`distillery backend repair\``);
    return { ...installed, origin: installed.tensorflow.origin, installed };
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

/** The binding of the newest Node-API version that this Node has. */
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
