/** The training loop: every phase of every stage and baseline goes through it. */
import { breathe } from '../breath';
import type { Student } from '../engine/port';
import type { ValidationEvent } from '../runs/events';
import type { StageName } from '../stages';
import { checkpointFolder, checkpointName, newestCheckpoint, saveCheckpoint } from './checkpoints';
import { Cancelled, type Context, endIfAsked, type UpdateResult } from './context';
import { evaluateLessons } from './evaluate';
import { learningRateAt, type Schedule } from './schedule';
import { type Selection, select, type Validation } from './selection';
import { guarded } from './training-errors';
import { goesOn } from './training-state';

/** One phase of training: what an update does, how many there are, and how the best checkpoint is chosen. */
export interface Training {
  stage: StageName;
  /** Name within the stage, such as `internalise`. */
  phase: string;
  updates: number;
  /**
   * Steps are counted through the stage: where this phase's begin. The student as it comes to the phase is step
   * `firstStep`.
   */
  firstStep: number;
  settings: Schedule & { evaluateEvery: number };
  /**
   * Validation accuracies this close to the highest count as equal, and the shorter answers win. null: the last update
   * is taken.
   */
  tolerance: number | null;
  /**
   * A student of an earlier phase of the stage that may be chosen as well: its check, whose step names its checkpoint.
   */
  candidate?: Validation | null;
  /** Of a supervised phase: the loss on held-out examples, in nats a token. */
  heldOutLoss?(): Promise<number>;
  update(update: number, learningRate: number): Promise<UpdateResult>;
  /** What the phase itself has to remember over a restart, besides weights and optimizer. */
  state?: { save(): unknown; restore(saved: unknown): void };
}

/** A phase that is being trained, and how far it is. */
interface Progress {
  context: Context;
  student: Student;
  training: Training;
  /** Whole updates made, and that of the newest checkpoint of the phase; -1 before the first. */
  update: number;
  saved: number;
  /** Of training since then, in milliseconds. */
  unsaved: number;
  selection: Selection;
  /** The validation check of this update is still to be made. */
  unchecked: boolean;
}

/**
 * Trains `student` in place and leaves it with the weights of the best validation check (or of the last update). Goes
 * on from the newest checkpoint when that belongs to this phase. Writes metrics and checkpoints; asked to stop, it
 * drops the update at hand, which is made again when the run is resumed, and takes a checkpoint of the last whole one.
 * Returns the name of the checkpoint it chose.
 */
export async function train(context: Context, student: Student, training: Training): Promise<string> {
  const { updates, settings } = training;
  await student.restartOptimizer();
  try {
    const progress = await begin(context, student, training);
    while (progress.update < updates) {
      await rest(progress);
      const started = performance.now();
      const learningRate = learningRateAt(settings, progress.update, updates);
      const result = await guarded(progress, () => training.update(progress.update, learningRate));
      if (result === null) continue; // stopped inside of it: the weights are those of the last whole update
      progress.update++;
      await record(progress, result, { learningRate, started });
      if (progress.update % settings.evaluateEvery === 0 || progress.update === updates) {
        await check(progress);
        await checkpointIfNew(progress);
      } else if (isDue(progress)) await checkpoint(progress);
    }
    return await choose(progress);
  } finally {
    await student.restartOptimizer(); // its moments take memory
  }
}

/**
 * From the newest checkpoint, if that is of this phase; else from the student as it comes, which is a candidate for the
 * best, too.
 */
async function begin(context: Context, student: Student, training: Training): Promise<Progress> {
  const { stage, phase, updates, tolerance, candidate = null } = training;
  const progress: Progress = {
    context,
    student,
    training,
    update: 0,
    saved: -1,
    unsaved: 0,
    selection: { best: candidate, topAccuracy: candidate?.accuracy ?? 0 },
    unchecked: false,
  };
  const newest = newestCheckpoint(context);
  if (newest?.entry.stage === stage && goesOn(newest, training)) {
    const { folder, state } = newest;
    await student.load(folder, { moments: true, step: state.optimizerStep });
    training.state?.restore(state.extra);
    const { update, selection, unchecked } = state;
    Object.assign(progress, { update, selection, unchecked, saved: update });
  }
  context.notify({ type: 'phase', stage, phase, updates, done: progress.update });
  if (progress.saved < 0) {
    endIfAsked(context);
    await validate(progress).finally(() => endIfAsked(context));
    // A phase that does harm leaves no trace.
    if (tolerance !== null || updates === 0) await checkpoint(progress);
  }
  if (progress.unchecked) await check(progress);
  return progress;
}

/** Between two updates: lets others work, and ends the run where that was asked for. */
async function rest(progress: Progress): Promise<void> {
  const { context } = progress;
  const { signal } = context;
  await breathe();
  await context.rest?.(() => checkpointIfNew(progress), context.space);
  if (signal.aborted && !(signal.reason instanceof Cancelled)) await checkpointIfNew(progress);
  endIfAsked(context);
}

async function record(
  progress: Progress,
  { metrics: measured, tokens, rollouts }: UpdateResult,
  { learningRate, started }: { learningRate: number; started: number },
): Promise<void> {
  const { context, training, update } = progress;
  const { run, space } = context;
  const { stage, phase, updates, firstStep } = training;
  const step = firstStep + update;
  const ms = performance.now() - started;
  if (rollouts) await space.write(() => run.rollouts(stage, step, rollouts));
  const line = { stage, phase, step, ...measured, lr: learningRate, tokensPerSecond: tokens / (ms / 1000) };
  const metrics = await space.write(() => run.metrics(line));
  context.notify({ type: 'update', stage, phase, update, updates, metrics });
  progress.unsaved += ms;
  spend(progress, ms);
}

/** Counts so many milliseconds as training of the stage. */
function spend({ context: { seconds }, training: { stage } }: Progress, ms: number): void {
  seconds[stage] = (seconds[stage] ?? 0) + ms / 1000;
}

/**
 * Unsaved training of this long, in milliseconds, is saved before a check, which may take long; else after it, with
 * what it found.
 */
const longUnsaved = 60_000;

/**
 * A check takes long: asked to end meanwhile, the checkpoint comes first, and the check is made up for when the run is
 * resumed.
 */
async function check(progress: Progress): Promise<void> {
  const { context } = progress;
  const { signal } = context;
  progress.unchecked = true;
  if (progress.unsaved >= longUnsaved) await checkpointIfNew(progress);
  const started = performance.now();
  try {
    await validate(progress);
  } catch (error) {
    if (!signal.aborted) throw error;
    if (!(signal.reason instanceof Cancelled)) await checkpointIfNew(progress);
    endIfAsked(context);
  }
  spend(progress, performance.now() - started);
  progress.unchecked = false;
}

async function validate(progress: Progress): Promise<void> {
  const { context, student, training, selection, update } = progress;
  const { stage, phase, firstStep, tolerance } = training;
  const step = firstStep + update;
  const found: Omit<ValidationEvent, 'type'> = { stage, step, best: false };
  const loss = await training.heldOutLoss?.();
  if (loss !== undefined) found.loss = loss;
  if (tolerance !== null && context.validation.length > 0) {
    const { accuracy, meanTokens } = await evaluateLessons(context, student, context.validation);
    const outcome = select(selection, { step, accuracy, meanTokens }, tolerance);
    progress.selection = outcome.selection;
    Object.assign(found, { accuracy, meanTokens, best: outcome.improved });
  }
  if (found.loss === undefined && found.accuracy === undefined) return;
  await context.space.write(() => context.run.validation({ ...found, phase }));
  context.notify({ type: 'validation', ...found });
}

function isDue({ context, unsaved }: Progress): boolean {
  return context.interrupted || unsaved >= 60_000 * context.experiment.checkpointMinutes;
}

async function checkpointIfNew(progress: Progress): Promise<void> {
  if (progress.saved !== progress.update && progress.update > 0) await checkpoint(progress);
}

async function checkpoint(progress: Progress): Promise<void> {
  const { context, student, training, update, selection, unchecked } = progress;
  const { stage, phase, firstStep } = training;
  const { results, seconds } = context;
  const state = {
    phase,
    update,
    optimizerStep: student.optimizerStep,
    selection,
    unchecked,
    results,
    seconds,
    extra: training.state?.save() ?? null,
  };
  const name = await saveCheckpoint(context, student, { stage, step: firstStep + update }, state);
  context.notify({ type: 'checkpoint', name });
  progress.saved = update;
  progress.unsaved = 0;
  context.interrupted = false;
}

/** Gives the student the weights of the best check, or leaves it with those of the last update. */
async function choose({ context, student, training, selection }: Progress): Promise<string> {
  const { stage, firstStep, updates } = training;
  const last = firstStep + updates;
  const chosen = checkpointName(stage, selection.best?.step ?? last);
  if (selection.best && selection.best.step !== last)
    await student.load(checkpointFolder(context, chosen), { moments: false });
  return chosen;
}
