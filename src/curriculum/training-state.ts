/** What a checkpoint remembers beside weights and moments: written by training, and checked when it is read back. */
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors';
import { stateFile } from '../runs/checkpoints';
import { check } from '../runs/jsonl';
import { type CheckpointEntry, type CheckpointState, type RunRecord, stageSchema } from '../runs/records';
import { type StageName, stageNames } from '../stages';

const count = z.number().int().nonnegative();
/** Completions (token ids, with end token) by training row. */
const completions = z.array(z.tuple([count, z.array(count)]));

const trainingStateSchema = z.object({
  phase: z.string(),
  /** Updates made in this phase: the data cursor and the place in every schedule. */
  update: count,
  optimizerStep: count,
  selection: z.object({
    best: z.object({ step: count, accuracy: z.number(), meanTokens: z.number() }).nullable(),
    topAccuracy: z.number(),
  }),
  /** The validation check of this update is still to be made: the run was asked to end before it was over. */
  unchecked: z.boolean(),
  /** The checkpoint that each finished stage chose. */
  results: z.partialRecord(stageSchema, z.string()),
  /** Of training, by stage. */
  seconds: z.partialRecord(stageSchema, z.number().nonnegative()),
  /** What the phase itself has to remember: nothing, the student's own samples, or the progress of Stage 3. */
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
    remedy: `The file was changed or damaged. Remove ${folder}, and the run goes on from the checkpoint before.`,
  });

/**
 * The state of a published checkpoint in `folder`. Throws a UserError when it is none that this run can have written.
 */
export function readTrainingState(
  { checkpoints }: Pick<RunRecord, 'checkpoints'>,
  { entry, folder, state: saved }: { entry: CheckpointEntry; folder: string; state: CheckpointState },
): TrainingState {
  const state = check(trainingStateSchema, saved.state, { file: join(folder, stateFile) });
  if (saved.stage !== entry.stage || saved.step !== entry.step || saved.seq !== entry.seq)
    throw wrong(folder, 'the checkpoint is another one than run.json says');
  if (state.update > entry.step)
    throw wrong(folder, `it says that ${state.update} updates were made, but the checkpoint is of step ${entry.step}`);
  if ((entry.stage === 'rewrite') !== (state.extra !== null && !Array.isArray(state.extra)))
    throw wrong(folder, `what it remembers beside weights is not of the stage ${entry.stage}`);
  for (const [stage, name] of Object.entries(state.results)) {
    const chosen = checkpoints.find((one) => one.name === name);
    const before = stageNames.indexOf(stage as StageName) < stageNames.indexOf(entry.stage);
    if (!before || chosen?.stage !== stage)
      throw wrong(folder, `it says that ${stage} is finished with ${name}, which is no checkpoint before this one`);
  }
  return state;
}

/**
 * Whether a phase goes on from a checkpoint of its stage; if not, it comes after it. Throws when the state is of
 * another place in the stage than the checkpoint's name says: something of the phase would be left out, or made twice.
 */
export function goesOn(
  { folder, entry, state }: { folder: string; entry: CheckpointEntry; state: TrainingState },
  { phase, updates, firstStep }: { phase: string; updates: number; firstStep: number },
): boolean {
  const same = state.phase === phase;
  const fits = same ? state.update <= updates && entry.step === firstStep + state.update : entry.step < firstStep;
  if (fits) return same;
  throw wrong(folder, `it is of step ${entry.step}, and says ${state.update} updates of ${state.phase}`);
}

/** Throws when what a phase remembers names rows that there are not, or tokens. */
export function checkExtra({ folder, state }: { folder: string; state: TrainingState }, rows: number, vocab: number) {
  const { extra } = trainingStateSchema.pick({ extra: true }).parse(state);
  const kept = Array.isArray(extra) ? extra : [...(extra?.own ?? []), ...(extra?.rewrites ?? [])];
  const failures = Array.isArray(extra) ? [] : (extra?.failures ?? []);
  const row = [...failures, ...kept.map(([row]) => row)].find((row) => row >= rows);
  if (row !== undefined) throw wrong(folder, `it names the training row ${row}, and there are ${rows}`);
  const token = kept.flatMap(([, tokens]) => tokens).find((token) => token >= vocab);
  if (token !== undefined) throw wrong(folder, `it names the token ${token}, and the student knows ${vocab}`);
}
