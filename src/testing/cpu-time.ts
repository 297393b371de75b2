/** The minimum CPU time of several runs, in milliseconds. Wall-clock time would depend on other load of the machine. */
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

/** The same for `work` on a text. A text is never reused, as results may be cached. */
export function cpuTimeOn(work: (text: string) => unknown, text: string, runs: number): number {
  return cpuTime(() => work(`${text} ${++texts}`), runs);
}

/**
 * Whether `work` takes time proportional to the length of its text, measured with a shorter and a longer text of a
 * kind: half as much again is allowed, plus `room` milliseconds for garbage collection and compilation. Measured up to
 * four times, so that a busy machine does not matter. `most` limits the longer one, in milliseconds.
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
