/**
 * One writer for a run. Locks are numbered files, `lock/<n>.json`, and the highest number counts: whoever creates the
 * next number (which the file system lets only one process do) holds the lock, and renames it to `lock/<n>.released` in
 * the end. Numbers never go back, so that taking over a dead process's lock cannot hit a lock that somebody took
 * meanwhile.
 */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { guardDisk } from '../disk';
import { UserError } from '../errors';
import { readSmallText } from '../lines';
import { keepTouching, lives, thisProcess } from '../processes';
import { createFile, makeFolder, move, remove } from '../writing';
import { lockFolder } from './layout';

const lockSchema = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  /** The machine. */
  host: z.string(),
  token: z.string(),
});
export type LockRecord = z.infer<typeof lockSchema>;

export interface Lock {
  /** Throws (`locked`) when another process has taken the lock over, as it may when this one slept for long. */
  check(): void;
  release(): void;
}

/**
 * A lock file that is empty or torn this long after its creation belongs to a process that was killed while creating
 * it.
 */
const tornAfterMs = 10_000;

/** The greatest number of a lock: a folder that somebody else made may hold one that cannot be counted on from. */
const most = 1e15;

/** Takes the lock of a run folder, or throws a UserError (`locked`) that names the holder. */
export function acquireLock(runFolder: string): Lock {
  const folder = lockFolder(runFolder);
  return guardDisk(folder, 'the run is unchanged', () => {
    makeFolder(runFolder, folder);
    for (;;) {
      const [top = 0] = lockNumbers(folder);
      if (top > most)
        throw new UserError(`the number of a lock here (${top}) is none that Distillery gives`, {
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

/** Who holds the lock now; undefined if nobody that lives does. */
export function lockHolder(runFolder: string): LockRecord | undefined {
  const folder = lockFolder(runFolder);
  const [top] = lockNumbers(folder);
  const holder = top === undefined ? undefined : holderOf(folder, top);
  return holder === 'starting' ? undefined : holder;
}

/** Highest first; none where there is no folder. */
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
  const record: LockRecord = { ...mine, host: machine, token: randomUUID() };
  if (!createFile(runFolder, file, JSON.stringify(record))) return undefined;
  // The number may have been free only because its lock was released, or replaced by a higher one, since the look
  // before.
  const released = join(folder, `${number}.released`);
  if (fs.existsSync(released) || lockNumbers(folder)[0] > number) {
    remove(runFolder, file);
    return undefined;
  }
  for (const older of lockNumbers(folder).filter((other) => other < number))
    for (const ending of ['json', 'released']) remove(runFolder, join(folder, `${older}.${ending}`));
  const rest = keepTouching(file);
  return {
    check() {
      const [top] = lockNumbers(folder);
      // Nothing may be made in its stead: what is there may come back.
      if (top === undefined && !fs.existsSync(runFolder))
        throw new UserError('the folder of the run is gone', {
          file: runFolder,
          code: 'disk',
          remedy: 'If its disk or share comes back, go on with `distillery resume`.',
        });
      if (top > number)
        throw new UserError('another process has taken this run over: this one was asleep, or could not be seen', {
          file: dirname(folder),
          code: 'locked',
          remedy: 'What was written is kept. Resume the run when the other process is done.',
        });
    },
    release() {
      rest();
      if (read(file)?.token === record.token) move(runFolder, file, released);
    },
  };
}

function holderOf(folder: string, number: number): LockRecord | 'starting' | undefined {
  const file = join(folder, `${number}.json`);
  const record = read(file);
  if (record) return lives({ ...record, machine: record.host }, file) ? record : undefined;
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat && Date.now() - stat.mtimeMs < tornAfterMs ? 'starting' : undefined;
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
    return undefined; // gone, or being written just now
  }
}

function lockedError(runFolder: string, file: string, holder: LockRecord | 'starting'): UserError {
  if (holder === 'starting')
    return new UserError('another process is just opening this run', {
      file: runFolder,
      code: 'locked',
      remedy: 'Try again in a few seconds.',
    });
  const elsewhere = holder.host !== hostname();
  return new UserError(`process ${holder.pid}${elsewhere ? ` on ${holder.host}` : ''} is working on this run`, {
    file: runFolder,
    code: 'locked',
    remedy: elsewhere
      ? `Stop it there; if it does not run any more, wait ten minutes, or delete ${file}.`
      : `Wait for it or stop it, then try again. If process ${holder.pid} is none of Distillery's, delete ${file}.`,
  });
}
