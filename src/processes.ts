/** Other processes: whether they are alive, and how to end them with their children. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { hostname } from 'node:os';
import { UserError } from './errors';
import { statOf } from './paths';
import { touch } from './writing';

/**
 * Identifies the process that left a file, to distinguish it from another one with the same pid or on another machine.
 */
export interface Owner {
  pid: number;
  /** Its start time according to the system (`startTimeOf`); empty if the system does not report it. */
  startTime: string;
  machine: string;
}

/**
 * How often a process touches the files that show it is alive, and their maximum age, in milliseconds: an update of a
 * run may block it.
 */
const [touchEvery, staleAfter] = [60_000, 10 * 60_000];

export const thisProcess = (): Owner => ({
  pid: process.pid,
  startTime: startTimeOf(process.pid) ?? '',
  machine: hostname(),
});

/**
 * Whether the process that left a file is still running: by pid and start time if they are visible from here. Otherwise
 * (another machine, a container, a renamed machine, a system without start times), by the age of the
 * file, which `touchRegularly` renews.
 */
export function isRunning({ pid, startTime, machine }: Owner, file: string): boolean {
  if (machine === hostname()) {
    if (!isProcess(pid)) return false;
    const now = startTimeOf(pid);
    // On Linux the start time is always available, so a record without one is not from a process of ours.
    if (now !== '' && (startTime !== '' || process.platform === 'linux')) return now === startTime;
  }
  const stat = statOf(file);
  return stat !== undefined && Date.now() - stat.mtimeMs < staleAfter;
}

/** Touches a file as long as this process is running, or until the returned function is called. */
export function touchRegularly(file: string): () => void {
  const timer = setInterval(() => {
    touch(file, () => {}); // the file or the disk is gone, which is reported when it is needed
  }, touchEvery);
  timer.unref();
  return () => clearInterval(timer);
}

/** Whether a process with this pid exists, of any user. */
export function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Ends a process that leads its own group (spawned `detached`) and the whole group; on Windows, the process and its
 * descendants; elsewhere the process alone. No error if there is none. (tree-kill looks for children of a living
 * process; a group also ends when its leader is gone.)
 */
export function killTree(pid: number): void {
  if (process.platform === 'win32') {
    try {
      execFileSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
    } catch {
      // It is gone, or is just ending.
    }
    return;
  }
  // For kill(2), -1 means every process of this user, and 0 this process's own group.
  if (pid <= 1) throw new UserError(`process ${pid} does not belong to Distillery`, { code: 'host' });
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
 * The start time of a process as an opaque text; undefined if it is gone (or a zombie), '' if this system does not
 * report it.
 */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform === 'linux')
    try {
      // proc(5): the name in brackets is followed by the state (field 3) and, as field 22, the start in ticks since
      // boot.
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
    // Independent of the language and time zone of the process.
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const args = ['-o', 'lstart=', '-p', String(pid)];
    return execFileSync('ps', args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] }).trim() || undefined;
  } catch {
    return undefined;
  }
}
