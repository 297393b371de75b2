/** What ends training, in words that say where it was and what is kept. */
import { Diverged } from '../engine-data/training';
import { isOutOfMemory, UserError } from '../errors';
import type { Context } from './context';

interface Place {
  context: Context;
  training: { stage: string; phase: string };
  /** Whole updates made. */
  update: number;
}

/**
 * An update; null when the run was stopped inside it. Says where training diverged, and which checkpoint is still good.
 */
export async function guarded<T>({ context, training, update }: Place, action: () => Promise<T>): Promise<T | null> {
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

/** Memory that ran out, as an error that says where, what is kept, and which settings need less. */
export function outOfMemory(error: unknown, where: string, { run }: Pick<Context, 'run'>): UserError {
  const kept = run.record.checkpoints.at(-1)?.name;
  return new UserError(`memory ran out ${where}: ${(error as Error)?.message ?? error}`, {
    code: 'memory',
    remedy:
      'Lower microBatchTokens or set "checkpointing": true where it trains; ' +
      'lower prompts, group, maxNewTokens or evaluation.batch where it ' +
      `generates${kept ? `; the checkpoint ${kept} is kept` : ''}.`,
    cause: error,
  });
}
