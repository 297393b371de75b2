/** A host from a bundle, a workspace for it, and clients that are disposed at the end. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostClient, type HostClientOptions } from '../../src/client/host-client';
import type { ExperimentInput } from '../../src/config/experiment';
import { tinyWorkspace } from '../../src/curriculum/testing/tiny';
import type { HostEvent } from '../../src/protocol/control';
import { builtPrograms } from '../bundle';
import { tinyFile } from '../cli/distillery';

export interface Workplace {
  /** Holds a random student in `student/`, and experiments. */
  folder: string;
  distillery: string;
  program: string;
  /** A new client, and all that it hears. */
  client(options?: Partial<HostClientOptions>): { client: HostClient; events: HostEvent[]; states: string[] };
  experiment(name: string, changes?: Partial<ExperimentInput>): string;
  /** Ends the host, if there is one. */
  endHost(): Promise<void>;
  close(): Promise<void>;
}

export async function openWorkplace(): Promise<Workplace> {
  process.env.DISTILLERY_THREADS ??= '1';
  const bundles = await builtPrograms({ host: 'src/host/main.ts', 'host-server': 'src/host/server.ts' });
  const folder = await tinyWorkspace();
  const distillery = join(folder, '.distillery');
  mkdirSync(distillery);
  const program = join(bundles.folder, 'host.js');
  const clients: HostClient[] = [];
  const open = (options: Partial<HostClientOptions> = {}) => {
    const client = new HostClient({
      folder: distillery,
      client: { name: 'test', version: '0.0.0' },
      node: () => process.execPath,
      program,
      ...options,
    });
    clients.push(client);
    const events: HostEvent[] = [];
    const states: string[] = [];
    client.on('event', (event) => events.push(event));
    client.on('state', (state) => states.push(state));
    return { client, events, states };
  };
  const endHost = async () => {
    const { client } = open();
    await client.kill();
    client.dispose();
  };
  return {
    folder,
    distillery,
    program,
    client: open,
    experiment(name, changes) {
      const file = join(folder, `${name}.distillery.json`);
      writeFileSync(file, JSON.stringify(tinyFile({ name, ...changes })));
      return file;
    },
    endHost,
    async close() {
      for (const client of clients) client.dispose(); // before the host ends: one may start it again
      for (let left = 10; ; left--) {
        await endHost();
        try {
          rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
          break;
        } catch (error) {
          if (left === 0) throw error; // a host that was starting just then writes still
        }
      }
      bundles.remove();
    },
  };
}

/** Whether the process has been stopped by a signal, which takes its time. */
export const isStopped = (pid: number): boolean =>
  execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T');

/** Waits for something to become true. */
export async function until(what: string, test: () => unknown, ms = 120_000): Promise<void> {
  for (const end = Date.now() + ms; !test(); await sleep(15))
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
}

/** Only Stage 1, with this many updates of a few milliseconds each. */
export const longStage = (updates: number): Partial<ExperimentInput> => ({
  stages: { reconstruct: { updates, batch: 2, learningRate: 1e-4 }, complete: false, rewrite: false },
  baselines: { sft: false },
  evaluation: { every: 1000, maxNewTokens: 4 },
});
