import { setImmediate } from 'node:timers/promises';

/** Between two passes through the model, which block the thread for seconds: lets signals and messages in. Throws what `signal` was aborted with. */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
