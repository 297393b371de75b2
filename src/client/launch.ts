import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { isOutOfMemory, UserError } from '../errors';
import { hostFolder, logFile } from '../protocol/host-folder';
import { makeFolder, openToWrite } from '../writing';
import { allowedEnvironment, type NodeProgram } from './find-node';

/** Exit codes of src/host/main.ts that clients handle. */
export const hostExit = { clean: 0, config: 2, taken: 3 } as const;

/** Starts a host in its own process group, without a shell; it survives this process. Its output goes to host.log. */
export function launchHost(
  program: string,
  distillery: string,
  node: NodeProgram,
  args: readonly string[],
): ChildProcess {
  if (!fs.existsSync(program))
    throw new UserError('the training host is missing', {
      file: program,
      code: 'host',
      remedy: 'Reinstall Distillery, or run `npm run build` in its repository.',
    });
  makeFolder(distillery, hostFolder(distillery));
  const { O_APPEND, O_CREAT, O_WRONLY } = fs.constants;
  const log = openToWrite(distillery, logFile(distillery), O_APPEND | O_CREAT | O_WRONLY, 0o600);
  try {
    const child = spawn(node.command, [program, distillery, ...args], {
      cwd: dirname(distillery),
      env: { ...allowedEnvironment(process.env), ...node.env },
      stdio: ['ignore', log, log],
      detached: true,
      windowsHide: true,
    });
    child.unref();
    return child;
  } finally {
    fs.closeSync(log);
  }
}

/** The last lines of host.log. */
export function logTail(distillery: string): string[] {
  try {
    const file = fs.openSync(logFile(distillery), 'r');
    try {
      const { size } = fs.fstatSync(file);
      const bytes = Buffer.alloc(Math.min(size, 16 << 10));
      fs.readSync(file, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString('utf8').trimEnd().split('\n').slice(-20);
    } finally {
      fs.closeSync(file);
    }
  } catch {
    return [];
  }
}

/** Whether a host's last output mentions memory. */
export const diedOfMemory = (log: readonly string[]): boolean => log.some(isOutOfMemory);
