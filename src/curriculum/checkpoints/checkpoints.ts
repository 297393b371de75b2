import { join } from 'node:path';
import type { Student } from '../../engine/port';
import { verifyCheckpoint } from '../../runs/checkpoints';
import { checkpointsFolder } from '../../runs/layout';
import type { CheckpointEntry } from '../../runs/records';
import type { StageName } from '../../stages';
import type { Context } from '../context';
import { readTrainingState, type TrainingState } from './training-state';

/**
 * Writes `<stage>-<step>`: student (if it has an adapter, only that), optimizer moments, state. The best checkpoint of
 * the stage is kept; the one it replaces is deleted.
 */
export async function saveCheckpoint(
  context: Context,
  student: Student,
  at: { stage: StageName; step: number },
  state: TrainingState,
): Promise<string> {
  const { run, space, tokenizer } = context;
  const { stage, step } = at;
  const entry = await space.write(() =>
    run.checkpoint({ stage, step, state }, (folder) =>
      student.save(folder, { moments: true, eosIds: tokenizer.eosIds }),
    ),
  );
  const best = state.selection.best ? checkpointName(stage, state.selection.best.step) : entry.name;
  const others = new Set(Object.values(context.results));
  const checkpoints = run.record.checkpoints.map(({ keep: _, ...other }) => ({
    ...other,
    ...((other.name === best || others.has(other.name)) && { keep: true }),
  }));
  await space.write(() => run.update({ checkpoints }));
  return entry.name;
}

export function checkpointName(stage: StageName, step: number): string {
  return `${stage}-${step}`;
}

/** The newest checkpoint of the run with its state; null when there is none. @throws UserError for damaged files */
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

export function checkpointFolder(context: Pick<Context, 'run'>, name: string): string {
  return join(checkpointsFolder(context.run.folder), name);
}
