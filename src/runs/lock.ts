/**
 * At most one writer per run. Locks are numbered files, `lock/<n>.json`, and the highest number counts. A process takes
 * the lock by creating the next number (which the file system allows only one process), and releases it by renaming the
 * file to `lock/<n>.released`. Numbers never decrease, so taking over a dead process's lock cannot affect a lock taken
 * meanwhile.
 */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { guardDisk } from '../disk';
import { UserError } from '../errors';
import { readSmallText } from '../lines';
import { statOf } from '../paths';
import { isRunning, thisProcess, touchRegularly } from '../processes';
import { createFile, makeFolder, move, remove } from '../writing';
import { lockFolder } from './layout';

const lockSchema = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  /** Host name of the machine. */
  host: z.string(),
  token: z.string(),
  /** The run's folder, absolute and without links; absent in locks of earlier versions. */
  folder: z.string().optional(),
});
export type LockRecord = z.infer<typeof lockSchema>;

export interface Lock {
  /**
   * @throws UserError (`locked`) when another process has taken over the lock, as can happen when this one slept for
   * long
   */
  check(): void;
  release(): void;
}

/**
 * Lock files appear complete (`createFile`), except on file systems without hard links. There, one that is empty or
 * incomplete this long after its creation belongs to a process that was killed while creating it.
 */
const tornAfterMs = 10_000;

/** The greatest supported number of a lock, in case the folder comes from elsewhere. */
const most = 1e15;

/** Takes the lock of a run folder. @throws UserError (`locked`) that names the holder */
export function acquireLock(runFolder: string): Lock {
  const folder = lockFolder(runFolder);
  return guardDisk(folder, 'the run is unchanged', () => {
    makeFolder(runFolder, folder);
    for (;;) {
      const [top = 0] = lockNumbers(folder);
      if (top > most)
        throw new UserError(`the lock here has an impossible number (${top})`, {
          file: folder,
          code: 'locked',
          remedy: 'If no process works on this run, delete this folder.',
        });
      const holder = top > 0 ? settledHolder(folder, top) : undefined;
      if (holder) throw lockedError(runFolder, join(folder, `${top}.json`), holder);
      const lock = create(runFolder, top + 1);
      if (lock) return lock;
    }
  });
}

/** The present holder of the lock; undefined if there is none, or it is dead. */
export function lockHolder(runFolder: string): LockRecord | undefined {
  const folder = lockFolder(runFolder);
  const [top] = lockNumbers(folder);
  const holder = top === undefined ? undefined : holderOf(folder, top);
  return holder === 'starting' ? undefined : holder;
}

/** Highest first; none if there is no folder. */
function lockNumbers(folder: string): number[] {
  return names(folder)
    .flatMap((name) => /^([1-9]\d*)\.(json|released)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

function names(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

function create(runFolder: string, number: number): Lock | undefined {
  const folder = lockFolder(runFolder);
  const file = join(folder, `${number}.json`);
  const { machine, ...mine } = thisProcess();
  const record: LockRecord = { ...mine, host: machine, token: randomUUID(), folder: fs.realpathSync(runFolder) };
  if (!createFile(runFolder, file, JSON.stringify(record))) return undefined;
  // Since the first look, the lock may have been released, or replaced by a higher one.
  const released = join(folder, `${number}.released`);
  if (fs.existsSync(released) || lockNumbers(folder)[0] > number) {
    remove(runFolder, file);
    return undefined;
  }
  for (const older of lockNumbers(folder).filter((other) => other < number))
    for (const ending of ['json', 'released']) remove(runFolder, join(folder, `${older}.${ending}`));
  const stopTouching = touchRegularly(file);
  return {
    check() {
      const [top] = lockNumbers(folder);
      // Nothing may be created in its place: the original may come back.
      if (top === undefined && !fs.existsSync(runFolder))
        throw new UserError('the folder of the run is gone', {
          file: runFolder,
          code: 'disk',
          remedy: 'If its disk or share comes back, resume with `distillery resume`.',
        });
      if (top > number)
        throw new UserError('another process has taken over this run while this one was asleep or unreachable', {
          file: dirname(folder),
          code: 'locked',
          remedy: 'What was written is kept. Resume the run when the other process is done.',
        });
    },
    release() {
      stopTouching();
      if (read(file)?.token === record.token) move(runFolder, file, released);
    },
  };
}

function holderOf(folder: string, number: number): LockRecord | 'starting' | undefined {
  const file = join(folder, `${number}.json`);
  const record = read(file);
  if (record) return isRunning({ ...record, machine: record.host }, file) && !isCopy(record, file) ? record : undefined;
  const stat = statOf(file);
  // A time in the future is from before the clock was set back.
  return stat && Math.abs(Date.now() - stat.mtimeMs) < tornAfterMs ? 'starting' : undefined;
}

/**
 * Whether the folder was copied with this lock while a process worked on the original, which still has the lock. A
 * folder that was moved is not a copy: its process continues.
 */
function isCopy({ folder, token }: LockRecord, file: string): boolean {
  if (folder === undefined) return false;
  const original = join(lockFolder(folder), basename(file));
  const [here, there] = [statOf(file), statOf(original)];
  if (!here || !there || (here.ino === there.ino && here.dev === there.dev)) return false;
  return read(original)?.token === token;
}

/** Waits up to half a second for a lock file that is being written. */
function settledHolder(folder: string, number: number): ReturnType<typeof holderOf> {
  let holder = holderOf(folder, number);
  for (let i = 0; holder === 'starting' && i < 25; i++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    holder = holderOf(folder, number);
  }
  return holder;
}

function read(file: string): LockRecord | undefined {
  try {
    return lockSchema.parse(JSON.parse(readSmallText(file)));
  } catch {
    return undefined; // deleted, or being written
  }
}

function lockedError(runFolder: string, file: string, holder: LockRecord | 'starting'): UserError {
  if (holder === 'starting')
    return new UserError('another process is opening this run', {
      file: runFolder,
      code: 'locked',
      remedy: 'Try again in a few seconds.',
    });
  const elsewhere = holder.host !== hostname();
  return new UserError(`process ${holder.pid}${elsewhere ? ` on ${holder.host}` : ''} is working on this run`, {
    file: runFolder,
    code: 'locked',
    remedy: elsewhere
      ? `Stop it there; if it is not running any more, wait ten minutes, or delete ${file}.`
      : `Wait for it or stop it, then try again. If process ${holder.pid} is not Distillery's, delete ${file}.`,
  });
}
