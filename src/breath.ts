import { setImmediate } from 'node:timers/promises';

/**
 * Between two stretches of work that block the thread, such as passes through the model: lets signals and messages in.
 * Throws what `signal` was aborted with.
 */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
