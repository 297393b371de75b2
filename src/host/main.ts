/**
 * The training host: `node host.js <.distillery folder> [options]`. This thread trains; a worker thread answers
 * clients. Exit codes: 0 ended normally, 1 a defect, 2 it cannot work here (the reason is on stderr), 3 the folder
 * already has a host.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pathError } from '../disk';
import { UserError } from '../errors';
import { packageRoot } from '../paths';
import { hostFolder } from '../protocol/host-folder';
import { acquireLock } from '../runs/lock';
import { makeFolder } from '../writing';
import { EngineThread } from './engine';
import { log } from './faults';
import type { ToServer } from './messages';
import { ServerThread } from './server-thread';

const exitCodes = { defect: 1, config: 2, taken: 3 } as const;

/** How often the engine's thread shows that it is not blocked, in milliseconds. */
const heartbeatMs = 1000;

function main(): void {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      /** Exits after this long without clients and work. */
      'idle-ms': { type: 'string', default: String(5 * 60_000) },
      /** Time for cancelled work to end before the process is killed. */
      'grace-ms': { type: 'string', default: '10000' },
      version: { type: 'string', default: '0' },
      /** Also listens on 127.0.0.1 at this port; 0: at any free one. */
      port: { type: 'string' },
    },
  });
  const [distillery] = positionals;
  if (!distillery) throw new UserError('usage: host <.distillery folder>', { code: 'usage' });
  makeFolder(distillery, hostFolder(distillery));
  const lock = acquireLock(hostFolder(distillery));
  process.on('exit', () => lock.release());

  const { version, 'idle-ms': idleMs, 'grace-ms': graceMs } = values;
  const tcp = values.port === undefined ? undefined : portOf(values.port);
  const post = (message: ToServer) => server.post(message);
  const engine = new EngineThread(join(distillery, 'runs'), post);
  const server = new ServerThread({
    data: { distillery, version, idleMs: Number(idleMs), graceMs: Number(graceMs), port: tcp },
    receive: (message) => engine.receive(message),
    state: () => engine.state,
    failed: () => engine.abandonJobs(),
    end,
  });
  setInterval(() => post({ type: 'heartbeat' }), heartbeatMs);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => post({ type: 'terminate' }));
  log('info', `host ${process.pid} of ${distillery} (Node ${process.version}, ${packageRoot()})`);
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65536) return port;
  throw new UserError(`"${text}" is not a port`, { code: 'usage', remedy: 'Give --port a number from 0 to 65535.' });
}

function end(thrown: unknown): never {
  const error = pathError(thrown);
  if (error instanceof UserError) {
    log('error', error.toString());
    process.exit(error.code === 'locked' ? exitCodes.taken : exitCodes.config);
  }
  log('error', (error as Error)?.stack ?? String(error));
  process.exit(exitCodes.defect);
}

process.on('uncaughtException', end);
process.on('unhandledRejection', end);
main();
