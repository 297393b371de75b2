/** At most four restarts in three minutes (as in vscode-languageclient), with growing delays. */
const maxRestarts = 4;
const withinMs = 3 * 60_000;
const delayFactor = 4;

export interface Restart {
  delayMs: number;
  /** Times of all restarts including this one, to pass to the next call. */
  times: readonly number[];
}

/** The restart after a crash at `now` (milliseconds); undefined when there were too many. */
export function nextRestart(times: readonly number[], now: number, firstDelayMs = 250): Restart | undefined {
  const recent = times.filter((time) => now - time < withinMs);
  if (recent.length >= maxRestarts) return undefined;
  const delayMs = firstDelayMs * delayFactor ** recent.length;
  return { delayMs, times: [...recent, now + delayMs] };
}
