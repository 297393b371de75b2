/** Other processes: whether they live, and how they are ended with everything below them. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { hostname } from 'node:os';
import { UserError } from './errors';
import { touch } from './writing';

/** Which process left a file, so that another one with the same pid, or on another machine, is not taken for it. */
export interface Owner {
  pid: number;
  /** When it started, as its system tells it (`startTimeOf`); empty where the system does not. */
  startTime: string;
  machine: string;
}

/**
 * How often a process touches the files that say it lives, and how old they may become, in milliseconds: an update of a
 * run may block it.
 */
const [touchEvery, staleAfter] = [60_000, 10 * 60_000];

export const thisProcess = (): Owner => ({
  pid: process.pid,
  startTime: startTimeOf(process.pid) ?? '',
  machine: hostname(),
});

/**
 * Whether the process that left a file still runs: by its pid and start time where they can be seen from here. Where
 * not (another machine, a container, a machine that was given another name, a system that does not tell start times),
 * by `keepTouching` the file.
 */
export function lives({ pid, startTime, machine }: Owner, file: string): boolean {
  if (machine === hostname()) {
    if (!isProcess(pid)) return false;
    const now = startTimeOf(pid);
    // On Linux every process can tell its own start: a record without one was not written by a process of ours.
    if (now !== '' && (startTime !== '' || process.platform === 'linux')) return now === startTime;
  }
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs < staleAfter;
}

/** Touches a file as long as this process lives, or until the answer is called. */
export function keepTouching(file: string): () => void {
  const timer = setInterval(() => {
    touch(file, () => {}); // it is gone, or the disk is: whoever needs it will say so
  }, touchEvery);
  timer.unref();
  return () => clearInterval(timer);
}

/** Whether a process of this pid is there, whoever it belongs to. */
export function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Ends a process that leads a group of its own (spawned `detached`), and all processes of that group; elsewhere the
 * process alone. On Windows: the process and its descendants. Says nothing when there is none.
 */
export function killTree(pid: number): void {
  if (process.platform === 'win32') {
    try {
      execFileSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
    } catch {
      // It is gone, or ends just now.
    }
    return;
  }
  // For kill(2), -1 is every process of this user's, and 0 this process's own group.
  if (pid <= 1) throw new UserError(`process ${pid} is none of Distillery's`, { code: 'host' });
  for (const target of [-pid, pid])
    try {
      process.kill(target, 'SIGKILL');
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    }
}

/**
 * When a process started, as an opaque text; undefined if it is gone (or a zombie), '' if this system does not tell.
 */
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
    // In whatever language and time zone each of the processes runs.
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const args = ['-o', 'lstart=', '-p', String(pid)];
    return execFileSync('ps', args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] }).trim() || undefined;
  } catch {
    return undefined;
  }
}
