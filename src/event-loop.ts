import { setImmediate } from 'node:timers/promises';

/**
 * Yields to the event loop between stretches of blocking work, such as passes through the model, so that signals and
 * messages arrive.
 * Throws the reason of an aborted `signal`.
 */
export async function yieldToEventLoop(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
