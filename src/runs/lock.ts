/**
 * One writer for a run. Locks are numbered files, `lock/<n>.json`, and the highest number counts: whoever creates the next number
 * (which the file system lets only one process do) holds the lock, and renames it to `lock/<n>.released` in the end. Numbers never
 * go back, so that taking over a dead process's lock cannot hit a lock that somebody took meanwhile.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { guardDisk } from '../disk';
import { UserError } from '../errors';

const lockSchema = z.object({
  pid: z.number().int(),
  /** When the process started, as the system tells it: another process with the same pid has another start. */
  startTime: z.string(),
  host: z.string(),
  token: z.string(),
});
export type LockRecord = z.infer<typeof lockSchema>;

export interface Lock {
  release(): void;
}

/** A lock file that is empty or torn this long after its creation belongs to a process that was killed while creating it. */
const tornAfterMs = 10_000;

/** Takes the lock of a run folder, or throws a UserError (`locked`) that names the holder. */
export function acquireLock(runFolder: string): Lock {
  const folder = join(runFolder, 'lock');
  return guardDisk(folder, 'the run is unchanged', () => {
    fs.mkdirSync(folder, { recursive: true });
    for (;;) {
      const [top = 0] = lockNumbers(folder);
      const holder = top > 0 ? settledHolder(folder, top) : undefined;
      if (holder) throw lockedError(runFolder, join(folder, `${top}.json`), holder);
      const lock = create(folder, top + 1);
      if (lock) return lock;
    }
  });
}

/** Who holds the lock now; undefined if nobody that lives does. */
export function lockHolder(runFolder: string): LockRecord | undefined {
  const folder = join(runFolder, 'lock');
  const [top] = fs.existsSync(folder) ? lockNumbers(folder) : [];
  const holder = top === undefined ? undefined : holderOf(folder, top);
  return holder === 'starting' ? undefined : holder;
}

/** Highest first. */
function lockNumbers(folder: string): number[] {
  return fs
    .readdirSync(folder)
    .flatMap((name) => /^([1-9]\d*)\.(json|released)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

function create(folder: string, number: number): Lock | undefined {
  const file = join(folder, `${number}.json`);
  const record: LockRecord = {
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? '',
    host: hostname(),
    token: randomUUID(),
  };
  try {
    fs.writeFileSync(file, JSON.stringify(record), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    fs.rmSync(file, { force: true });
    throw error;
  }
  // The number may have been free only because its lock was released, or replaced by a higher one, since the look before.
  const released = join(folder, `${number}.released`);
  if (fs.existsSync(released) || lockNumbers(folder)[0] > number) {
    fs.rmSync(file, { force: true });
    return undefined;
  }
  for (const older of lockNumbers(folder).filter((other) => other < number))
    for (const ending of ['json', 'released']) fs.rmSync(join(folder, `${older}.${ending}`), { force: true });
  return {
    release() {
      if (read(file)?.token === record.token) fs.renameSync(file, released);
    },
  };
}

function holderOf(folder: string, number: number): LockRecord | 'starting' | undefined {
  const file = join(folder, `${number}.json`);
  const record = read(file);
  if (record) return isAlive(record) ? record : undefined;
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
    return lockSchema.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
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
      ? `Stop it there; if it does not run any more, delete ${file}.`
      : `Wait for it or stop it (kill ${holder.pid}), then try again.`,
  });
}

/** Whether the process of the lock still runs. A process on another machine cannot be seen, so it counts as alive. */
function isAlive({ pid, host, startTime }: LockRecord): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startTimeOf(pid);
  return now === undefined ? startTime === '' : now === startTime;
}

/** When a process started, as an opaque text; undefined if it is gone (or a zombie), '' if this system does not tell. */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform === 'linux')
    try {
      // proc(5): after the name in brackets come the state (field 3) and, as field 22, the start in ticks since boot.
      const fields = fs
        .readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${boot} ${fields[19]}`;
    } catch {
      return undefined;
    }
  if (process.platform === 'win32') return '';
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}
