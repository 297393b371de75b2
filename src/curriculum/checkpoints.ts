import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dispose, keep, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../errors';
import type { Optimizer } from '../learning/optimizer';
import { loadModel, saveStudent } from '../model/hf-folder';
import { readAdapter, saveAdapter } from '../model/lora-files';
import { disposeModel, type Model, trainableParameters } from '../model/transformer';
import { verifyCheckpoint } from '../runs/checkpoints';
import { checkpointsFolder } from '../runs/layout';
import type { CheckpointEntry } from '../runs/records';
import type { StageName } from '../stages';
import { copyCompanions } from '../student-files/folder';
import { openSafetensors, writeSafetensors } from '../student-files/safetensors';
import type { Context } from './context';
import { readTrainingState, type TrainingState } from './training-state';

const momentsFile = 'optimizer.safetensors';

/** Writes `<stage>-<step>`: student (of one with an adapter, the adapter alone), moments, state. The best of the stage is kept, the one it replaces let go. */
export async function saveCheckpoint(
  context: Context,
  model: Model,
  optimizer: Optimizer,
  at: { stage: StageName; step: number },
  state: TrainingState,
): Promise<string> {
  const { run, experiment, tokenizer } = context;
  const { stage, step } = at;
  const entry = await run.checkpoint({ stage, step, state }, (folder) => {
    if (model.adapter) {
      copyCompanions(model.adapter.base.path, folder);
      saveAdapter(folder, model.adapter);
    } else saveStudent(folder, model, { tokenizerFrom: experiment.student.path, eosIds: tokenizer.eosIds });
    const moments = [...optimizer.moments].flatMap(([name, { first, second }]) => [
      source(`${name}.first`, first),
      source(`${name}.second`, second),
    ]);
    writeSafetensors(join(folder, momentsFile), moments);
  });
  const best = state.selection.best ? checkpointName(stage, state.selection.best.step) : entry.name;
  const others = new Set(Object.values(context.results));
  run.update({
    checkpoints: run.record.checkpoints.map(({ keep: _, ...other }) => ({
      ...other,
      ...((other.name === best || others.has(other.name)) && { keep: true }),
    })),
  });
  return entry.name;
}

export function checkpointName(stage: StageName, step: number): string {
  return `${stage}-${step}`;
}

function source(name: string, values: Tensor) {
  return { name, dtype: 'F32' as const, shape: values.shape, values: () => values.dataSync<'float32'>() };
}

/** The newest checkpoint of the run with its state; null when there is none. Damaged files are a UserError. */
export function newestCheckpoint(context: Pick<Context, 'run'>): NewestCheckpoint | null {
  const { record } = context.run;
  const entry = record.checkpoints.at(-1);
  if (!entry) return null;
  const folder = checkpointFolder(context, entry.name);
  return { entry, folder, state: readTrainingState(record, { entry, folder, state: verifyCheckpoint(folder) }) };
}

export interface NewestCheckpoint {
  entry: CheckpointEntry;
  folder: string;
  state: TrainingState;
}

/** Puts what was trained in a checkpoint (weights, of a student of the same shape, or an adapter) into `model`. */
export function loadWeights(model: Model, folder: string): void {
  const { adapter, config } = model;
  const other = adapter ? { ...model, adapter: readAdapter(folder, config, adapter.base) } : loadModel(folder);
  const [trained, read] = [trainableParameters(model), trainableParameters(other)];
  const shapeOf = (parameter?: Tensor) => (parameter ? `[${parameter.shape}]` : 'absent');
  const differing = [...trained].find(([name, parameter]) => shapeOf(read.get(name)) !== shapeOf(parameter));
  if (differing || read.size !== trained.size) {
    dispose([...read.values()]);
    const [name, parameter] = differing ?? [];
    throw new UserError(
      `The checkpoint has another shape than the student${name ? `: ${name} is ${shapeOf(read.get(name))}, not ${shapeOf(parameter)}` : ''}`,
      {
        file: folder,
        code: 'checkpoint',
        remedy: 'Use a checkpoint that was trained from the same student.',
      },
    );
  }
  take(trained, read);
}

/** Gives `model` what was trained in `other`, which is used up. */
export function takeParameters(model: Model, other: Model): void {
  take(trainableParameters(model), trainableParameters(other));
  disposeModel(other);
}

function take(into: Map<string, Tensor>, from: Map<string, Tensor>): void {
  for (const [name, parameter] of into) {
    parameter.dispose();
    into.set(name, from.get(name)!);
  }
  from.clear();
}

/** Puts the moments of a checkpoint into `optimizer`. */
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

/** The folder of a checkpoint of this run. */
export function checkpointFolder(context: Pick<Context, 'run'>, name: string): string {
  return join(checkpointsFolder(context.run.folder), name);
}
