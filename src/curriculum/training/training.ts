/** The training loop of every phase in every stage and baseline. */
import type { Student } from '../../engine/port';
import { yieldToEventLoop } from '../../event-loop';
import type { ValidationEvent } from '../../runs/events';
import { spentText } from '../../spent';
import type { StageName } from '../../stages';
import { checkpointFolder, checkpointName, newestCheckpoint, saveCheckpoint } from '../checkpoints/checkpoints';
import { resumesPhase } from '../checkpoints/training-state';
import { Cancelled, type Context, endIfAsked, note, type UpdateResult } from '../context';
import { evaluateLessons } from '../evaluation/evaluate';
import { type SelectionState, select, type Validation } from '../evaluation/selection';
import { learningRateAt, type Schedule } from './schedule';
import { guarded } from './training-errors';

/** One phase of training: the update function, the number of updates, and how the best checkpoint is selected. */
export interface TrainingPhase {
  stage: StageName;
  /** Name within the stage, such as `internalise`. */
  phase: string;
  updates: number;
  /** The step within the stage at which this phase begins. The student before the phase has step `firstStep`. */
  firstStep: number;
  settings: Schedule & { evaluateEvery: number };
  /**
   * Validation accuracies within this distance of the highest count as equal, and the shorter answers win. null: takes
   * the last update.
   */
  tolerance: number | null;
  /**
   * A student from an earlier phase of the stage that may be selected too: its validation, whose step names its
   * checkpoint.
   */
  candidate?: Validation | null;
  /** For a supervised phase: the loss on held-out examples, in nats per token. */
  heldOutLoss?(): Promise<number>;
  update(update: number, learningRate: number): Promise<UpdateResult>;
  state?: PhaseState;
}

/** State of a phase that must survive a restart, besides weights and optimizer. */
export interface PhaseState {
  save(): unknown;
  restore(saved: unknown): void;
}

/** A phase in training, and its progress. */
interface PhaseProgress {
  context: Context;
  student: Student;
  training: TrainingPhase;
  /** Complete updates, and those in the newest checkpoint of the phase; -1 before the first. */
  update: number;
  saved: number;
  /** Training time since then, in milliseconds. */
  unsaved: number;
  selection: SelectionState;
  /** The validation of this update is still due. */
  unchecked: boolean;
}

/**
 * Trains `student` in place and leaves it with the weights of the best validation (or of the last update). Resumes from
 * the newest checkpoint if it belongs to this phase. Writes metrics and checkpoints. When asked to stop, it discards
 * the current update, which is computed again on resume, and saves the last complete one.
 * Returns the name of the selected checkpoint.
 */
export async function train(context: Context, student: Student, training: TrainingPhase): Promise<string> {
  const { updates, settings } = training;
  await student.restartOptimizer();
  try {
    const progress = await begin(context, student, training);
    while (progress.update < updates) {
      await betweenUpdates(progress);
      const started = performance.now();
      const learningRate = learningRateAt(settings, progress.update, updates);
      const result = await guarded(progress, () => training.update(progress.update, learningRate));
      if (result === null) continue; // stopped during the update: the weights are those of the last complete one
      progress.update++;
      await record(progress, result, { learningRate, started });
      if (progress.update % settings.evaluateEvery === 0 || progress.update === updates) {
        await check(progress);
        await checkpointIfNew(progress);
      } else if (isDue(progress)) await checkpoint(progress);
    }
    const chosen = await choose(progress);
    const spent = context.spent?.();
    if (spent) note(context.notify, `so far ${spentText(spent)}`);
    return chosen;
  } finally {
    await student.restartOptimizer(); // frees the optimizer's moments
  }
}

/**
 * Starts from the newest checkpoint if it belongs to this phase; else from the given student, which is also a candidate
 * for the best.
 */
async function begin(context: Context, student: Student, training: TrainingPhase): Promise<PhaseProgress> {
  const { stage, phase, updates, tolerance, candidate = null } = training;
  const progress: PhaseProgress = {
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
  if (newest?.entry.stage === stage && resumesPhase(newest, training)) {
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
    // A phase that makes the student worse is undone.
    if (tolerance !== null || updates === 0) await checkpoint(progress);
  }
  if (progress.unchecked) await check(progress);
  return progress;
}

/** Between two updates: lets others work, and ends the run on request. */
async function betweenUpdates(progress: PhaseProgress): Promise<void> {
  const { context } = progress;
  const { signal } = context;
  await yieldToEventLoop();
  await context.betweenUpdates?.(() => checkpointIfNew(progress), context.space);
  if (signal.aborted && !(signal.reason instanceof Cancelled)) await checkpointIfNew(progress);
  endIfAsked(context);
}

async function record(
  progress: PhaseProgress,
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
  const spent = context.spent?.();
  if (spent) await space.write(() => run.update({ spent }));
  context.notify({ type: 'update', stage, phase, update, updates, metrics, ...(spent && { spent }) });
  progress.unsaved += ms;
  spend(progress, ms);
}

/** Counts these milliseconds as training time of the stage. */
function spend({ context: { seconds }, training: { stage } }: PhaseProgress, ms: number): void {
  seconds[stage] = (seconds[stage] ?? 0) + ms / 1000;
}

/**
 * After this much unsaved training, in milliseconds, a checkpoint is written before a validation, which may be slow;
 * otherwise after it, with its result.
 */
const maxUnsavedMs = 60_000;

/**
 * A validation takes long. If the run is asked to end meanwhile, a checkpoint is written, and the validation is done on
 * resume.
 */
async function check(progress: PhaseProgress): Promise<void> {
  const { context } = progress;
  const { signal } = context;
  progress.unchecked = true;
  if (progress.unsaved >= maxUnsavedMs) await checkpointIfNew(progress);
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

async function validate(progress: PhaseProgress): Promise<void> {
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

function isDue({ context, unsaved }: PhaseProgress): boolean {
  return context.interrupted || unsaved >= 60_000 * context.experiment.checkpointMinutes;
}

async function checkpointIfNew(progress: PhaseProgress): Promise<void> {
  if (progress.saved !== progress.update && progress.update > 0) await checkpoint(progress);
}

async function checkpoint(progress: PhaseProgress): Promise<void> {
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

/** Restores the weights of the best validation, or keeps those of the last update. */
async function choose({ context, student, training, selection }: PhaseProgress): Promise<string> {
  const { stage, firstStep, updates } = training;
  const last = firstStep + updates;
  const chosen = checkpointName(stage, selection.best?.step ?? last);
  if (selection.best && selection.best.step !== last)
    await student.load(checkpointFolder(context, chosen), { moments: false });
  return chosen;
}
