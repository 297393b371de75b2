/** Downloads the adapter of a server as a PEFT folder. */
import { join, posix } from 'node:path';
import { UserError } from '../../errors';
import { adapterConfigFile, adapterWeightsFile } from '../../student-files/adapter-base';
import { isJsonObject } from '../../student-files/files';
import { headerLength, parseHeader } from '../../student-files/safetensors-header';
import { tarFiles } from '../../tar';
import { remove, replaceText } from '../../writing';
import type { TinkerClient } from './client';

/** Maximum size of an unpacked archive. */
const maxBytes = 8 * 2 ** 30;

/**
 * Downloads the adapter at `path` on the server (`tinker://<run>/sampler_weights/<name>`) into `folder`, for the
 * student in `base`.
 */
export async function downloadAdapter(client: TinkerClient, path: string, folder: string, base: string): Promise<void> {
  const files = await filesOf(await client.archive(path), path);
  const weights = files.get(adapterWeightsFile);
  if (!weights) throw unusable(path, `its archive has no ${adapterWeightsFile}`);
  const config = repaired(files.get(adapterConfigFile), modulesOf(weights, path), base);
  replaceText(folder, join(folder, adapterConfigFile), `${JSON.stringify(config, null, 2)}\n`);
  replaceText(folder, join(folder, adapterWeightsFile), weights);
}

/** Deletes the files that `downloadAdapter` wrote. */
export function removeAdapter(folder: string): void {
  for (const name of [adapterConfigFile, adapterWeightsFile]) remove(folder, join(folder, name));
}

const unusable = (path: string, why: string) =>
  new UserError(`the adapter ${path} of the Tinker server cannot be used: ${why}`, {
    code: 'checkpoint',
    remedy: 'The weights are still on the server; docs/cluster.md says which servers can be downloaded from.',
  });

/** The files of an adapter in a tar archive by base name. */
async function filesOf(archive: Uint8Array, path: string): Promise<Map<string, Buffer>> {
  const isWanted = (name: string) => [adapterConfigFile, adapterWeightsFile].includes(posix.basename(name));
  try {
    const files = await tarFiles(archive, isWanted, maxBytes);
    return new Map(Array.from(files, ([name, content]) => [posix.basename(name), content]));
  } catch (error) {
    throw unusable(path, `its archive cannot be read (${(error as Error).message})`);
  }
}

/** The modules of the tensors, such as `q_proj`. */
function modulesOf(weights: Uint8Array, path: string): string[] {
  const length = headerLength(weights.subarray(0, 8), weights.length, path);
  const { tensors } = parseHeader(weights.subarray(8, 8 + length), weights.length, path);
  const modules = [...tensors.keys()].flatMap((name) => /([^.]+)\.lora_A/.exec(name)?.[1] ?? []);
  return [...new Set(modules)].sort();
}

/** With null in `target_modules` (SkyRL 0.4 on JAX), PEFT silently loads only q_proj and v_proj. */
function repaired(text: Uint8Array | undefined, modules: string[], base: string): object {
  const given: unknown = text ? JSON.parse(Buffer.from(text).toString('utf8')) : {};
  const config = isJsonObject(given) ? given : {};
  return {
    ...config,
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base,
    target_modules: config.target_modules ?? modules,
  };
}
