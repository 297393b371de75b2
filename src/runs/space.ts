/** The space on a run's disk: said when it gets short, and waited for before an update that could not be saved. */
import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkpointsFolder } from './layout';

/** What records and run.json take until the next checkpoint. */
const records = 1 << 20;
/** It is short when so many further checkpoints do not fit. */
const short = 3;

/** The bytes that the files of the newest checkpoint have; 0 before the first. */
function checkpointBytes(run: string, newest: string | undefined): number {
  if (newest === undefined) return 0;
  const folder = join(checkpointsFolder(run), newest);
  const sizeOf = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  return existsSync(folder) ? readdirSync(folder).reduce((sum, name) => sum + sizeOf(name), 0) : 0;
}

const inMegabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

export class Space {
  private known = { name: undefined as string | undefined, bytes: 0 };
  private warned = false;

  /** `tell`: a warning for the person. */
  constructor(
    private readonly run: string,
    private readonly tell: (text: string) => void,
  ) {}

  /**
   * Resolves when the next checkpoint fits beside the records until then (`newest` names the last one), or `signal` is
   * aborted: the weights stay in memory meanwhile. Looks again every `pauseMs`.
   */
  async enough(newest: string | undefined, signal: AbortSignal, pauseMs = 5000): Promise<void> {
    if (newest !== this.known.name) this.known = { name: newest, bytes: checkpointBytes(this.run, newest) };
    const needed = this.known.bytes + records;
    let waited = false;
    for (; this.free() < needed && !signal.aborted; waited = true) {
      if (!waited)
        this.tell(
          `the disk of ${this.run} has ${inMegabytes(this.free())} left, and a checkpoint takes ${inMegabytes(needed)}: training waits, with all that it learned in memory. Free some space`,
        );
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
    if (waited && !signal.aborted) this.tell('there is space again: training goes on');
    if (!this.warned && !waited && this.free() < (1 + short) * needed) {
      this.warned = true;
      this.tell(`the disk of ${this.run} is filling up: ${inMegabytes(this.free())} are left, some checkpoints' worth`);
    }
  }

  private free(): number {
    try {
      const { bavail, bsize } = statfsSync(this.run);
      return bavail * bsize;
    } catch {
      return Number.POSITIVE_INFINITY; // gone: the next write says so
    }
  }
}
