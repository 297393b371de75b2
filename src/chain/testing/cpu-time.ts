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
