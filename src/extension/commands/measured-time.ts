import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { commandLine, parseOutput } from '../command-line';

/** Seconds with each budget; null or absent where it cannot be told. */
export interface MeasuredTime {
  full?: number | null;
  quick?: number | null;
}

/** The longest that the choice of a budget waits for it, in milliseconds. */
const maxWaitMs = 15_000;

/** How long a run of an experiment takes, by the speed that this machine shows now. */
export async function measuredSeconds(experiment: string): Promise<MeasuredTime> {
  try {
    const { command, args, env } = await commandLine(['preview', experiment, '--time', '--json']);
    const { stdout } = await promisify(execFile)(command, args, { env, timeout: maxWaitMs });
    return parseOutput<MeasuredTime>(stdout);
  } catch {
    return {}; // an experiment that cannot be run says so when it is run
  }
}
