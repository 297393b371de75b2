/** Saves and loads the weights and the optimizer of a student. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dispose, keep, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../errors';
import type { Optimizer } from '../../learning/optimizer';
import { loadModel, saveStudent } from '../../model/hf-folder';
import { readAdapter, saveAdapter } from '../../model/lora-files';
import { type Model, trainableParameters } from '../../model/transformer';
import { copyCompanions } from '../../student-files/folder';
import { openSafetensors, writeSafetensors } from '../../student-files/safetensors';

const momentsFile = 'optimizer.safetensors';

/** Writes the student; if it has an adapter, only the adapter. `path` has its tokenizer files. */
export function saveWeights(folder: string, model: Model, path: string, eosIds: readonly number[]): void {
  if (model.adapter) {
    copyCompanions(model.adapter.base.path, folder);
    saveAdapter(folder, model.adapter);
  } else saveStudent(folder, model, { tokenizerFrom: path, eosIds });
}

export function saveMoments(folder: string, optimizer: Optimizer): void {
  const source = (name: string, values: Tensor) => ({
    name,
    dtype: 'F32' as const,
    shape: values.shape,
    values: () => values.dataSync<'float32'>(),
  });
  const moments = [...optimizer.moments].flatMap(([name, { first, second }]) => [
    source(`${name}.first`, first),
    source(`${name}.second`, second),
  ]);
  writeSafetensors(join(folder, momentsFile), moments);
}

/** The trained tensors of a checkpoint: weights of a student of the same shape, or an adapter. The caller owns them. */
export function readWeights(model: Model, folder: string): Map<string, Tensor> {
  const { adapter, config } = model;
  const other = adapter ? { ...model, adapter: readAdapter(folder, config, adapter.base) } : loadModel(folder);
  const [trained, read] = [trainableParameters(model), trainableParameters(other)];
  const shapeOf = (parameter?: Tensor) => (parameter ? `[${parameter.shape}]` : 'absent');
  const differing = [...trained].find(([name, parameter]) => shapeOf(read.get(name)) !== shapeOf(parameter));
  if (!differing && read.size === trained.size) return read;
  dispose([...read.values()]);
  const [name, parameter] = differing ?? [];
  throw new UserError(
    'The checkpoint has another shape than the ' +
      `student${name ? `: ${name} is ${shapeOf(read.get(name))}, not ${shapeOf(parameter)}` : ''}`,
    {
      file: folder,
      code: 'checkpoint',
      remedy: 'Use a checkpoint that was trained from the same student.',
    },
  );
}

/** Loads the moments of a checkpoint into `optimizer`. */
export function loadMoments(optimizer: Optimizer, folder: string, step: number): void {
  const path = join(folder, momentsFile);
  if (!existsSync(path))
    throw new UserError(`${momentsFile} is missing`, {
      file: folder,
      code: 'checkpoint',
      remedy: 'Resume from another checkpoint.',
    });
  const file = openSafetensors(path);
  try {
    for (const [name, { first, second }] of optimizer.moments) {
      const read = (moment: string, like: Tensor) => {
        const values = keep(tensor(file.readFloats(`${name}.${moment}`), like.shape));
        like.dispose();
        return values;
      };
      optimizer.moments.set(name, { first: read('first', first), second: read('second', second) });
    }
  } finally {
    file.close();
  }
  optimizer.step = step;
}
