/** At most four restarts in three minutes (as vscode-languageclient has it), each after a longer pause. */
const most = 4;
const withinMs = 3 * 60_000;
const growth = 4;

export interface Restart {
  delayMs: number;
  /** Times of the restarts so far, this one among them: what to ask with next. */
  times: readonly number[];
}

/** The restart after a crash at `now` (milliseconds); undefined when there were too many. */
export function nextRestart(times: readonly number[], now: number, firstDelayMs = 250): Restart | undefined {
  const recent = times.filter((time) => now - time < withinMs);
  if (recent.length >= most) return undefined;
  const delayMs = firstDelayMs * growth ** recent.length;
  return { delayMs, times: [...recent, now + delayMs] };
}
