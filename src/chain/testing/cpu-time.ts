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
  // Never the same text twice: results may be remembered.
  let run = 0;
  const time = (text: string, runs: number) => cpuTime(() => work(`${text} ${++run}`), runs);
  for (let runs = 1; runs <= 7; runs += 2) {
    const [before, after] = [time(short, runs), time(long, runs)];
    if (after < most && after < room + (1.5 * before * long.length) / short.length) return true;
  }
  return false;
}
