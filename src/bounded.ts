/** Runs untrusted code that may not terminate, such as patterns and templates, with a time limit. */
import { createContext, Script } from 'node:vm';

/** The time limit was exceeded. */
export class TookTooLong extends Error {}

const script = new Script('work()');
const context = createContext(Object.create(null));
/** Whether one limit holds for all calls that are made now. */
let together = false;

/**
 * The result of `work`; throws TookTooLong when it takes more than `ms` milliseconds. It blocks the thread meanwhile,
 * but V8 can interrupt it anywhere, even in a regular expression. As the process may have been suspended or got no CPU
 * time, `work`, which must be repeatable, is tried twice more, with the time doubled.
 */
export function withinTime<T>(ms: number, work: () => T): T {
  return together ? work() : limited(ms, work, 3);
}

function limited<T>(ms: number, work: () => T, attempts: number): T {
  const before = process.cpuUsage();
  try {
    return script.runInContext(Object.assign(context, { work }), { timeout: Math.ceil(ms) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    const { user, system } = process.cpuUsage(before);
    if (attempts > 1 && (user + system) / 1000 < ms / 2) return limited(2 * ms, work, attempts - 1);
    throw new TookTooLong(`it takes more than ${Math.ceil(ms / 1000)} s`);
  }
}

/**
 * Limits what many calls take together beyond what is expected of each: code that stays just below the limit of a call
 * would keep a thread busy for hours, on thousands of texts, deaf to signals.
 */
export class Allowance {
  private used = 0;

  constructor(private readonly ms: number) {}

  /** The result of `work`. @throws TookTooLong when earlier calls have used the allowance up */
  spend<T>(expectedMs: number, work: () => T): T {
    if (this.used > this.ms)
      throw new TookTooLong(`it takes too long: ${this.ms / 1000} s more than expected for this text and earlier ones`);
    const [started, cpu] = [performance.now(), process.cpuUsage()];
    try {
      return work();
    } finally {
      const { user, system } = process.cpuUsage(cpu);
      // Neither the time of other threads counts, nor that in which this process did not run.
      const taken = Math.min(performance.now() - started, (user + system) / 1000);
      this.used = Math.max(0, this.used + taken - expectedMs);
    }
  }
}

/**
 * Runs `work`, which calls `withinTime` many times, with one limit for all: setting a limit takes longer (0.1 ms, or
 * 1 ms on a busy machine) than tokenizing a short text. If the limit is exceeded, `work`, which must be repeatable,
 * runs again with a limit for each call, so that the error is that of the one call.
 */
export function withinTimeTogether<T>(ms: number, work: () => T): T {
  together = true;
  try {
    return limited(ms, work, 1);
  } catch (error) {
    if (!(error instanceof TookTooLong)) throw error;
  } finally {
    together = false;
  }
  return work();
}
