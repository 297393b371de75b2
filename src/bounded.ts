/** Code that may not end by itself, such as patterns and templates from elsewhere, with a limit on its time. */
import { createContext, Script } from 'node:vm';

/** What was to end in time has not. */
export class TookTooLong extends Error {}

const script = new Script('work()');
const context = createContext(Object.create(null));

/**
 * What `work` returns; throws TookTooLong when it takes more than `ms` milliseconds. It holds the thread meanwhile, but
 * V8 ends it whatever it does, a regular expression too. A process that was stopped or got no processor is no reason:
 * then `work`, which must be free to be done again, is tried anew, with twice the time, and once more.
 */
export function withinTime<T>(ms: number, work: () => T, attempts = 3): T {
  const before = process.cpuUsage();
  try {
    return script.runInContext(Object.assign(context, { work }), { timeout: Math.ceil(ms) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    const { user, system } = process.cpuUsage(before);
    if (attempts > 1 && (user + system) / 1000 < ms / 2) return withinTime(2 * ms, work, attempts - 1);
    throw new TookTooLong(`it takes more than ${ms / 1000} s`);
  }
}
