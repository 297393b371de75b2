/** Reaches the host of a folder: the running one, or a new one. */
import type { ChildProcess } from 'node:child_process';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors';
import { isRunning } from '../processes';
import type { Address } from '../protocol/control';
import { addressFile, readAddress } from '../protocol/host-folder';
import { VersionGap } from './failures';
import { findNode } from './find-node';
import { diedOfMemory, hostExit, launchHost, logTail } from './launch';
import type { HostLink, Identity } from './link';

export interface Reach {
  /** The `.distillery` folder. */
  folder: string;
  client: Identity;
  /** The user's setting; empty: search. Read whenever a host is started. */
  node(): string;
  program: string;
  args: readonly string[];
  times: { start: number; answer: number; death: number };
}

/** The protocol is loaded when there is a host to talk to: most windows have none when they open. */
const links = async () => (await import('./link')).HostLink;

/** The host could not be started; the caller decides whether to retry. */
export class StartFailure extends UserError {
  constructor(
    readonly kind: 'unknown' | 'memory' | 'config',
    readonly log: string[],
    message: string,
  ) {
    super(message, { code: 'host', remedy: log.length > 0 ? `Its last output: ${log.at(-1)}` : undefined });
  }
}

/** Whether the host that wrote host.json is alive. */
export const isAlive = (folder: string, address: Address) => isRunning(address, addressFile(folder));

/** A link to the running host; undefined when there is none. With `renew`, an idle host of another version is ended. */
export async function reachHost({ folder, client, times }: Reach, renew: boolean): Promise<HostLink | undefined> {
  const address = readAddress(folder);
  if (!address || !isAlive(folder, address)) return undefined;
  try {
    const link = await openLink({ folder, client, times }, address);
    if (!renew || address.version === client.version) return link;
    // Another version with the same protocol is used while it works, and replaced while it is idle.
    const { ending } = await link.request('shutdown', {});
    if (!ending) return link;
    await link.closed;
    await waitForExit(folder, address, times.death);
    return undefined;
  } catch (error) {
    const replaceable = error instanceof VersionGap && renew && error.gap.idle;
    if (replaceable && (await (await links()).replace(address, client, times.answer))) {
      await waitForExit(folder, address, times.death);
      return undefined;
    }
    // It has ended meanwhile.
    if (!isAlive(folder, address) || readAddress(folder)?.session !== address.session) return undefined;
    // Tried first in any case: this machine may have had another name when the host started.
    if (address.machine !== hostname() && !(error instanceof VersionGap)) throw elsewhere(folder, address);
    throw error;
  }
}

/** A failed server thread is restarted soon: while the process is alive, a refused connection is retried. */
async function openLink({ folder, client, times }: Pick<Reach, 'folder' | 'client' | 'times'>, address: Address) {
  for (const deadline = performance.now() + times.answer; ; await sleep(50))
    try {
      return await (await links()).open(address, client, times.answer);
    } catch (error) {
      const absent = ['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '');
      const here = address.machine === hostname() && isAlive(folder, address);
      if (!absent || !here || performance.now() > deadline || readAddress(folder)?.session !== address.session)
        throw error;
    }
}

/** A host on another machine is never managed from here. */
export function elsewhere(folder: string, { machine, port }: Address): UserError {
  const command = `ssh -N -L ${port}:127.0.0.1:${port} ${machine}`;
  const tunnel = `open a tunnel (${command}) and set DISTILLERY_HOST_TUNNEL=${port}`;
  const ways = port === undefined ? '' : `, or ${tunnel}`;
  return new UserError(`the host of this folder runs on ${machine}`, {
    file: folder,
    code: 'elsewhere',
    remedy: `Use it there${ways}. If it is not running any more, wait ten minutes, or delete ${folder}/host.`,
  });
}

/** Starts a host and connects to it, or to another one that was started faster. */
export async function startHost(reach: Reach): Promise<HostLink> {
  const { folder, client, program, args, times } = reach;
  const node = await findNode(reach.node());
  const launch = () => watchExit(launchHost(program, folder, node, ['--version', client.version, ...args]));
  let child = launch();
  for (const deadline = performance.now() + times.start; performance.now() < deadline; await sleep(50)) {
    const link = await reachHost(reach, false);
    if (link) return link;
    const { error, exit } = child;
    if (error) throw new StartFailure('config', [], `the training host cannot be started: ${error.message}`);
    if (!exit) continue;
    if (exit.code === hostExit.taken) {
      // Another host holds the folder: it will listen soon, or it was just about to end.
      await sleep(200);
      child = launch();
      continue;
    }
    const log = logTail(folder);
    let kind: StartFailure['kind'] = 'unknown';
    if (exit.code === hostExit.config) kind = 'config';
    else if (diedOfMemory(log)) kind = 'memory';
    throw new StartFailure(kind, log, `the training host ended while it started (${exit.code ?? exit.signal})`);
  }
  throw new StartFailure('unknown', logTail(folder), `the training host did not start within ${times.start / 1000} s`);
}

interface Watched {
  error?: Error;
  exit?: { code: number | null; signal: NodeJS.Signals | null };
}

function watchExit(child: ChildProcess): Watched {
  const watched: Watched = {};
  child.once('exit', (code, signal) => {
    watched.exit = { code, signal };
  });
  child.once('error', (error) => {
    watched.error = error;
  });
  return watched;
}

/** Waits for a process to exit; false if it is still running after `ms`. */
export async function waitForExit(folder: string, address: Address, ms: number): Promise<boolean> {
  for (const deadline = performance.now() + ms; isAlive(folder, address); await sleep(20))
    if (performance.now() > deadline) return false;
  return true;
}
