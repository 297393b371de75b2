/** The part of a checkpoint beside weights and moments: written by training, validated when it is read. */
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../../errors';
import { stateFile } from '../../runs/checkpoints';
import { check } from '../../runs/jsonl';
import { type CheckpointEntry, type CheckpointState, type RunRecord, stageSchema } from '../../runs/records';
import { type StageName, stageNames } from '../../stages';

const count = z.number().int().nonnegative();
/** Completions (token ids, with end token) by training row. */
const completions = z.array(z.tuple([count, z.array(count)]));

const trainingStateSchema = z.object({
  phase: z.string(),
  /** Updates made in this phase: the position in data and schedules. */
  update: count,
  optimizerStep: count,
  selection: z.object({
    best: z.object({ step: count, accuracy: z.number(), meanTokens: z.number() }).nullable(),
    topAccuracy: z.number(),
  }),
  /** The validation of this update is still due: the run was asked to end before it had finished. */
  unchecked: z.boolean(),
  /** The checkpoint selected by each finished stage. */
  results: z.partialRecord(stageSchema, z.string()),
  /** Training time, by stage. */
  seconds: z.partialRecord(stageSchema, z.number().nonnegative()),
  /** State of the phase itself: nothing, the student's own samples, or the progress of Stage 3. */
  extra: z.union([
    z.null(),
    completions,
    z.looseObject({ failures: z.array(count), rewrites: completions.nullable(), own: completions }),
  ]),
});
export type TrainingState = Omit<z.infer<typeof trainingStateSchema>, 'extra'> & { extra: unknown };

const wrong = (folder: string, message: string) =>
  new UserError(message, {
    file: join(folder, stateFile),
    code: 'checkpoint',
    remedy: `The file was changed or damaged. Remove ${folder}: the run then resumes from the previous checkpoint.`,
  });

/** The state of a published checkpoint in `folder`. @throws UserError when this run cannot have written it */
export function readTrainingState(
  { checkpoints }: Pick<RunRecord, 'checkpoints'>,
  { entry, folder, state: saved }: { entry: CheckpointEntry; folder: string; state: CheckpointState },
): TrainingState {
  const state = check(trainingStateSchema, saved.state, { file: join(folder, stateFile) });
  if (saved.stage !== entry.stage || saved.step !== entry.step || saved.seq !== entry.seq)
    throw wrong(folder, 'the checkpoint is not the one that run.json names');
  if (state.update > entry.step)
    throw wrong(folder, `it records ${state.update} updates, but the checkpoint is of step ${entry.step}`);
  if ((entry.stage === 'rewrite') !== (state.extra !== null && !Array.isArray(state.extra)))
    throw wrong(folder, `its saved state does not belong to the stage ${entry.stage}`);
  for (const [stage, name] of Object.entries(state.results)) {
    const chosen = checkpoints.find((one) => one.name === name);
    const before = stageNames.indexOf(stage as StageName) < stageNames.indexOf(entry.stage);
    if (!before || chosen?.stage !== stage)
      throw wrong(folder, `it names ${name} as the result of ${stage}, but there is no such earlier checkpoint`);
  }
  return state;
}

/**
 * Whether a phase resumes from a checkpoint of its stage, as opposed to starting after it. @throws UserError when the
 * state disagrees with the step in the checkpoint's name, as updates would be skipped or repeated
 */
export function resumesPhase(
  { folder, entry, state }: { folder: string; entry: CheckpointEntry; state: TrainingState },
  { phase, updates, firstStep }: { phase: string; updates: number; firstStep: number },
): boolean {
  const same = state.phase === phase;
  const fits = same ? state.update <= updates && entry.step === firstStep + state.update : entry.step < firstStep;
  if (fits) return same;
  throw wrong(folder, `it is of step ${entry.step}, but records ${state.update} updates of ${state.phase}`);
}

/** @throws UserError when the state of a phase refers to rows or tokens that do not exist */
export function checkExtra({ folder, state }: { folder: string; state: TrainingState }, rows: number, vocab: number) {
  const { extra } = trainingStateSchema.pick({ extra: true }).parse(state);
  const kept = Array.isArray(extra) ? extra : [...(extra?.own ?? []), ...(extra?.rewrites ?? [])];
  const failures = Array.isArray(extra) ? [] : (extra?.failures ?? []);
  const row = [...failures, ...kept.map(([row]) => row)].find((row) => row >= rows);
  if (row !== undefined) throw wrong(folder, `it names the training row ${row}, but there are only ${rows}`);
  const token = kept.flatMap(([, tokens]) => tokens).find((token) => token >= vocab);
  if (token !== undefined) throw wrong(folder, `it names the token ${token}, but the student has only ${vocab}`);
}
