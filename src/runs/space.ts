/** Disk space of a run: warns when it gets short, and waits for it with the training state in memory. */
import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DiskFull } from '../disk';
import { sizeOf } from '../paths';
import { checkpointsFolder } from './layout';
import type { RunWriter } from './writer';

/** Space for records and run.json until the next checkpoint. */
const records = 1 << 20;
/** It is short when this many further checkpoints do not fit. */
const short = 3;

/** The size of the newest checkpoint in bytes; 0 before the first. */
function checkpointBytes(run: string, newest: string | undefined): number {
  if (newest === undefined) return 0;
  const folder = join(checkpointsFolder(run), newest);
  return existsSync(folder) ? readdirSync(folder).reduce((sum, name) => sum + sizeOf(join(folder, name)), 0) : 0;
}

const continuesMessage = 'there is space again: training continues';

const megabytesText = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

export class Space {
  private known = { name: undefined as string | undefined, bytes: 0 };
  private warned = false;

  /** `signal` ends every wait; `tell` receives warnings for the user. Checks every `pauseMs`. */
  constructor(
    private readonly run: Pick<RunWriter, 'folder' | 'record'>,
    private readonly signal: AbortSignal,
    private readonly tell: (text: string) => void,
    private readonly pauseMs = 5000,
  ) {}

  /** Resolves when the next checkpoint and the records until then fit. */
  async enough(): Promise<void> {
    const { folder, record } = this.run;
    const newest = record.checkpoints.at(-1)?.name;
    if (newest !== this.known.name) this.known = { name: newest, bytes: checkpointBytes(folder, newest) };
    const needed = this.known.bytes + records;
    let waited = false;
    for (; this.free() < needed && !this.signal.aborted; waited = true) {
      if (!waited)
        this.tellOfWait(`has ${megabytesText(this.free())} left, and a checkpoint takes ${megabytesText(needed)}`);
      await this.pause(this.pauseMs);
    }
    if (waited && !this.signal.aborted) this.tell(continuesMessage);
    if (!this.warned && !waited && this.free() < (1 + short) * needed) {
      this.warned = true;
      this.tell(
        `the disk of ${folder} is filling up: ${megabytesText(this.free())} are left, enough for a few checkpoints`,
      );
    }
  }

  /**
   * The result of `write`, which is repeated while the disk is full, so it must clean up when it fails. @throws
   * DiskFull when `signal` is aborted meanwhile
   */
  async write<T>(write: () => T | Promise<T>): Promise<T> {
    for (let waited = false; ; waited = true) {
      const started = performance.now();
      try {
        const written = await write();
        if (waited) this.tell(continuesMessage);
        return written;
      } catch (error) {
        if (!(error instanceof DiskFull) || this.signal.aborted) throw error;
        if (!waited) this.tellOfWait(`is full (${error.file ?? error.message})`);
        // A checkpoint of gigabytes is not retried all the time: at most a tenth of the time is spent on it.
        await this.pause(Math.max(this.pauseMs, 10 * (performance.now() - started)));
      }
    }
  }

  private tellOfWait(why: string): void {
    const what = 'training waits, with its state in memory. Free some space';
    this.tell(`the disk of ${this.run.folder} ${why}: ${what}`);
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.signal }).catch(() => {});
  }

  private free(): number {
    try {
      const { bavail, bsize } = statfsSync(this.run.folder);
      return bavail * bsize;
    } catch {
      return Number.POSITIVE_INFINITY; // gone: the next write reports it
    }
  }
}
