/** Commands that continue as long as a run does, until Ctrl-C. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openRun, stateOf } from '../../runs/reading';

/** Runs `work`, which Ctrl-C and SIGTERM ask to stop, for this `reason`. */
export async function untilStopped<T>(work: (stop: AbortController) => Promise<T>, reason?: Error): Promise<T> {
  const stop = new AbortController();
  const end = () => stop.abort(reason);
  process.on('SIGINT', end).on('SIGTERM', end);
  try {
    return await work(stop);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

/** Waits for the next poll of a followed run; false when the run had ended before this poll, or on request. */
export async function waitForNextPoll(run: string, follow: boolean, signal: AbortSignal, ms: number): Promise<boolean> {
  if (!follow || signal.aborted || !isGrowing(run)) return false;
  await sleep(ms, undefined, { signal }).catch(() => {});
  return true;
}

const isGrowing = (run: string) => ['running', 'paused', 'created'].includes(stateOf(openRun(run)));
