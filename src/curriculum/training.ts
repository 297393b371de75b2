import { Diverged } from '../engine-data/training';
import { isOutOfMemory, UserError } from '../errors';
import { breathe } from '../learning/breath';
import { createOptimizer, disposeOptimizer, type Optimizer } from '../learning/optimizer';
import { learningRateAt, type Schedule } from '../learning/schedule';
import type { Model } from '../model/transformer';
import type { ValidationEvent } from '../runs/events';
import type { StageName } from '../stages';
import {
  checkpointFolder,
  checkpointName,
  loadMoments,
  loadWeights,
  newestCheckpoint,
  saveCheckpoint,
} from './checkpoints';
import { Cancelled, type Context, endIfAsked, type UpdateResult } from './context';
import { evaluateLessons } from './evaluate';
import { type Selection, select, type Validation } from './selection';
import { goesOn } from './training-state';

/** One phase of training: what an update does, how many there are, and how the best checkpoint is chosen. */
export interface Training {
  stage: StageName;
  /** Name within the stage, such as `internalise`. */
  phase: string;
  updates: number;
  /** Steps are counted through the stage: where this phase's begin. The student as it comes to the phase is step `firstStep`. */
  firstStep: number;
  settings: Schedule & { evaluateEvery: number };
  /** Validation accuracies this close to the highest count as equal, and the shorter answers win. null: the last update is taken. */
  tolerance: number | null;
  /** A student of an earlier phase of the stage that may be chosen as well: its check, whose step names its checkpoint. */
  candidate?: Validation | null;
  /** Of a supervised phase: the loss on held-out examples, in nats a token. */
  heldOutLoss?(model: Model): Promise<number>;
  update(model: Model, optimizer: Optimizer, update: number, learningRate: number): Promise<UpdateResult>;
  /** What the phase itself has to remember over a restart, besides weights and optimizer. */
  state?: { save(): unknown; restore(saved: unknown): void };
}

/**
 * Trains `model` in place and leaves it with the weights of the best validation check (or of the last update). Goes on from the
 * newest checkpoint when that belongs to this phase. Writes metrics and checkpoints; asked to stop, it drops the
 * update at hand, which is made again when the run is resumed, and takes a checkpoint of the last whole one. Returns the name of the checkpoint it chose.
 */
export async function train(context: Context, model: Model, training: Training): Promise<string> {
  const { notify, signal } = context;
  const { stage, phase, updates, firstStep, settings } = training;
  const optimizer = createOptimizer(model);
  const { candidate = null } = training;
  let selection: Selection = { best: candidate, topAccuracy: candidate?.accuracy ?? 0 };
  let update = 0;
  let saved = -1;
  let unchecked = false;
  const checkpoint = async () => {
    const state = {
      phase,
      update,
      optimizerStep: optimizer.step,
      selection,
      unchecked,
      results: context.results,
      seconds: context.seconds,
      extra: training.state?.save() ?? null,
    };
    notify({
      type: 'checkpoint',
      name: await saveCheckpoint(context, model, optimizer, { stage, step: firstStep + update }, state),
    });
    saved = update;
  };
  const checkpointIfNew = async () => {
    if (saved !== update && update > 0) await checkpoint();
  };
  const validate = async () => {
    const step = firstStep + update;
    const check: Omit<ValidationEvent, 'type'> = { stage, step, best: false };
    const loss = await training.heldOutLoss?.(model);
    if (loss !== undefined) check.loss = loss;
    if (training.tolerance !== null && context.validation.length > 0) {
      const { accuracy, meanTokens } = await evaluateLessons(context, model, context.validation);
      const outcome = select(selection, { step, accuracy, meanTokens }, training.tolerance);
      selection = outcome.selection;
      Object.assign(check, { accuracy, meanTokens, best: outcome.improved });
    }
    if (check.loss === undefined && check.accuracy === undefined) return;
    context.run.validation({ ...check, phase });
    notify({ type: 'validation', ...check });
  };
  const spent = (started: number) => {
    context.seconds[stage] = (context.seconds[stage] ?? 0) + (performance.now() - started) / 1000;
  };
  /** A check takes long: asked to end meanwhile, the checkpoint comes first, and the check is made up for when the run is resumed. */
  const check = async () => {
    const started = performance.now();
    unchecked = true;
    try {
      await validate();
    } catch (error) {
      if (!signal.aborted) throw error;
      if (!(signal.reason instanceof Cancelled)) await checkpointIfNew();
      endIfAsked(context);
    }
    spent(started);
    unchecked = false;
  };
  try {
    const newest = newestCheckpoint(context);
    if (newest?.entry.stage === stage && goesOn(newest, training)) {
      const { folder } = newest;
      loadWeights(model, folder);
      loadMoments(optimizer, folder, newest.state.optimizerStep);
      training.state?.restore(newest.state.extra);
      ({ update, selection, unchecked } = newest.state);
      saved = update;
    }
    notify({ type: 'phase', stage, phase, updates, done: update });
    if (saved < 0) {
      endIfAsked(context);
      await validate().finally(() => endIfAsked(context));
      // The student as it came is a candidate, too: a phase that does harm leaves no trace.
      if (training.tolerance !== null || updates === 0) await checkpoint();
    }
    if (unchecked) await check();
    while (update < updates) {
      await breathe();
      await context.rest?.(checkpointIfNew);
      if (signal.aborted && !(signal.reason instanceof Cancelled)) await checkpointIfNew();
      endIfAsked(context);
      const started = performance.now();
      const learningRate = learningRateAt(settings, update, updates);
      const result = await guarded(context, training, update, () =>
        training.update(model, optimizer, update, learningRate),
      );
      if (result === null) continue; // stopped inside of it: the weights are those of the last whole update
      update++;
      const step = firstStep + update;
      const metrics = context.run.metrics({
        stage,
        phase,
        step,
        ...result.metrics,
        lr: learningRate,
        tokensPerSecond: result.tokens / ((performance.now() - started) / 1000),
      });
      notify({ type: 'update', stage, phase, update, updates, metrics });
      spent(started);
      if (update % settings.evaluateEvery !== 0 && update !== updates) continue;
      await check();
      await checkpoint();
    }
    const chosen = checkpointName(stage, selection.best?.step ?? firstStep + updates);
    if (selection.best && selection.best.step !== firstStep + updates)
      loadWeights(model, checkpointFolder(context, chosen));
    return chosen;
  } finally {
    disposeOptimizer(optimizer);
  }
}

/** An update; null when the run was stopped inside it. Says where training diverged, and which checkpoint is still good. */
async function guarded<T>(
  context: Context,
  { stage, phase }: Training,
  update: number,
  action: () => Promise<T>,
): Promise<T | null> {
  try {
    return await action();
  } catch (error) {
    const memory = isOutOfMemory(error) || (error as Partial<UserError>)?.code === 'memory';
    if (memory) throw outOfMemory(error, `in ${stage} (${phase}), update ${update + 1}`, context);
    if (context.signal.aborted && !(error instanceof Diverged)) return null;
    if (!(error instanceof Diverged)) throw error;
    throw new Diverged(
      `the loss or gradient of ${stage} (${phase}), update ${update + 1},`,
      context.run.record.checkpoints.at(-1)?.name,
    );
  }
}

/** Memory that ran out, as an error that says where, what is kept, and which settings need less. */
export function outOfMemory(error: unknown, where: string, { run }: Pick<Context, 'run'>): UserError {
  const kept = run.record.checkpoints.at(-1)?.name;
  return new UserError(`memory ran out ${where}: ${(error as Error)?.message ?? error}`, {
    code: 'memory',
    remedy: `Lower microBatchTokens or set "checkpointing": true where it trains; lower prompts, group, maxNewTokens or evaluation.batch where it generates${kept ? `; the checkpoint ${kept} is kept` : ''}.`,
    cause: error,
  });
}
