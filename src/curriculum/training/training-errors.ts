/** Errors that end training. Their messages name the place and the checkpoint that is still good. */
import { Diverged } from '../../engine-data/training';
import { isOutOfMemory, UserError } from '../../errors';
import type { Context } from '../context';

interface TrainingPlace {
  context: Context;
  training: { stage: string; phase: string };
  /** Complete updates so far. */
  update: number;
}

/**
 * Runs an update; null when the run was stopped during it. On divergence the error names the place and the last good
 * checkpoint.
 */
export async function guarded<T>(
  { context, training, update }: TrainingPlace,
  action: () => Promise<T>,
): Promise<T | null> {
  const { stage, phase } = training;
  try {
    return await action();
  } catch (error) {
    if (isOutOfMemory(error) || (error as Partial<UserError>)?.code === 'memory')
      throw outOfMemory(error, `in ${stage} (${phase}), update ${update + 1}`, context);
    const diverged = error instanceof Diverged;
    if (context.signal.aborted && !diverged) return null;
    if (!diverged) throw error;
    throw new Diverged(
      `the loss or gradient of ${stage} (${phase}), update ${update + 1},`,
      context.run.record.checkpoints.at(-1)?.name,
    );
  }
}

/** An out-of-memory error with the place, the last checkpoint, and the settings that reduce memory. */
export function outOfMemory(error: unknown, where: string, { run }: Pick<Context, 'run'>): UserError {
  const kept = run.record.checkpoints.at(-1)?.name;
  return new UserError(`memory ran out ${where}: ${(error as Error)?.message ?? error}`, {
    code: 'memory',
    remedy:
      'Lower microBatchTokens or set "checkpointing": true if it happens in training; ' +
      'lower prompts, group, maxNewTokens or evaluation.batch if it happens ' +
      `in sampling${kept ? `; the checkpoint ${kept} is kept` : ''}.`,
    cause: error,
  });
}
