/**
 * The least CPU time of a few runs, in milliseconds. Not the time on the clock, which says more about what else the
 * machine is doing.
 */
export function cpuTime(work: () => unknown, runs = 3): number {
  const times = Array.from({ length: runs }, () => {
    const started = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

let texts = 0;

/** The same of `work` on a text. Never the same text twice: results may be remembered. */
export function cpuTimeOn(work: (text: string) => unknown, text: string, runs: number): number {
  return cpuTime(() => work(`${text} ${++texts}`), runs);
}

/**
 * Whether `work` takes time in proportion to the length of its text, by a shorter and a longer one of a kind: half as
 * much again is allowed, and `room` milliseconds for what the engine collects and compiles meanwhile. A machine that is
 * busy now and then is no reason: it is measured up to four times. `most`: for the longer one, in milliseconds.
 */
export function growsWith(
  work: (text: string) => unknown,
  short: string,
  long: string,
  { room = 80, most = 60_000 } = {},
): boolean {
  for (let runs = 1; runs <= 7; runs += 2) {
    const [before, after] = [cpuTimeOn(work, short, runs), cpuTimeOn(work, long, runs)];
    if (after < most && after < room + (1.5 * before * long.length) / short.length) return true;
  }
  return false;
}
