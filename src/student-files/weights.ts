/** The weights of a Hugging Face folder, in one safetensors file or in shards listed by an index. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors';
import { isJsonObject, readJsonObject } from './files';
import { openSafetensors, type SafetensorsFile } from './safetensors';
import { refuse, type TensorEntry } from './safetensors-header';

export interface WeightFiles {
  /** Every tensor, by name, in the order of the files. */
  tensors: Map<string, TensorEntry>;
  readFloats(name: string): Float32Array;
  close(): void;
}

const single = 'model.safetensors';
const indexName = 'model.safetensors.index.json';

export const holdsWeights = (folder: string): boolean =>
  existsSync(join(folder, single)) || existsSync(join(folder, indexName));

/** Opens the folder's weights. @throws UserError when there are none, or when index and shards disagree */
export function openWeights(folder: string): WeightFiles {
  if (existsSync(join(folder, single))) return gather([openWhole(join(folder, single))]);
  const indexFile = join(folder, indexName);
  if (!existsSync(indexFile))
    throw new UserError(`There is neither ${single} nor ${indexName}`, {
      file: folder,
      remedy:
        'Restore it if it is lost; convert weights in another format ' +
        'with save_pretrained(..., safe_serialization=True).',
      code: 'checkpoint',
    });
  return openShards(folder, indexFile);
}

function openShards(folder: string, indexFile: string): WeightFiles {
  const map = readJsonObject(indexFile).weight_map;
  if (!isJsonObject(map)) throw new UserError('The index has no weight_map', { file: indexFile, code: 'checkpoint' });
  const files: SafetensorsFile[] = [];
  try {
    for (const shard of new Set(Object.values(map))) {
      // A plain file name: an untrusted index must not make us read other locations.
      if (typeof shard !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(shard))
        throw new UserError(
          `The index names ${JSON.stringify(shard)}, which is not a safetensors file of this folder`,
          {
            file: indexFile,
            code: 'checkpoint',
          },
        );
      files.push(openWhole(join(folder, shard)));
    }
    for (const [name, shard] of Object.entries(map))
      if (!files.some(({ file, tensors }) => file === join(folder, shard as string) && tensors.has(name)))
        throw new UserError(`The index places tensor ${JSON.stringify(name)} in ${shard}, which does not contain it`, {
          file: indexFile,
          code: 'checkpoint',
        });
    return gather(files);
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

/** A page of a disk: a power cut leaves at least this many bytes empty. */
const pageBytes = 4096;

/** Refuses a file whose last matrix ends in a page of zeros: its last bytes never reached the disk. */
function openWhole(file: string): SafetensorsFile {
  const opened = openSafetensors(file);
  if (!opened.endsInZeros(pageBytes)) return opened;
  opened.close();
  return refuse(file, `ends in ${pageBytes} or more zero bytes, as after a power cut`);
}

function gather(files: SafetensorsFile[]): WeightFiles {
  const tensors = new Map<string, TensorEntry>();
  const home = new Map<string, SafetensorsFile>();
  for (const file of files)
    for (const [name, entry] of file.tensors) {
      const other = home.get(name);
      if (other)
        throw new UserError(`Tensor ${JSON.stringify(name)} is in ${other.file} too`, {
          file: file.file,
          code: 'checkpoint',
        });
      tensors.set(name, entry);
      home.set(name, file);
    }
  return {
    tensors,
    readFloats: (name) => home.get(name)!.readFloats(name),
    close: () => {
      for (const file of files) file.close();
    },
  };
}
