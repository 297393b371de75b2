import { runCommandLine } from '../shared/command-line';

/** Seconds with each budget; null or absent where it is unknown. */
export interface MeasuredTime {
  full?: number | null;
  quick?: number | null;
}

/** The longest that the choice of a budget waits for it, in milliseconds. */
const maxWaitMs = 15_000;

/** How long a run of an experiment takes, by the speed that this machine shows now. */
export async function measuredSeconds(experiment: string): Promise<MeasuredTime> {
  try {
    return await runCommandLine<MeasuredTime>(['preview', experiment, '--time'], maxWaitMs);
  } catch {
    return {}; // errors of the experiment are reported when it is run
  }
}
