/**
 * Sends the metrics of a run to Trackio or W&B through their own Python clients: `integrations/track.py` reads lines
 * and reports those that arrived.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { UserError } from '../errors';
import { encode } from '../json';
import type { Damage } from '../lines';
import { packageRoot } from '../paths';
import { openRun, readConfig } from '../runs/reading';
import { type Measurement, measurementsOf } from './measurements';
import { pythonWith } from './python';
import { openSent, type SentPosition } from './sent-position';

export const pythonTrackers = ['trackio', 'wandb'] as const;
export type PythonTracker = (typeof pythonTrackers)[number];

export interface SendOptions {
  /** Of the tracker. Without it the run's name. */
  project?: string;
  /** Where W&B's folder `wandb` is; Trackio has a place of its own (TRACKIO_DIR). */
  folder: string;
  /** To the tracker's server; else nothing leaves this machine. */
  online: boolean;
  /** The Python that has the client. */
  python?: string;
  /** Whether to follow the run until it ends. */
  follow: boolean;
  /** Waits for the next poll of a followed run; resolves to false when there is none. */
  next: () => Promise<boolean>;
  /** Called for unreadable records. */
  damage?: Damage;
}

/** Sends new measurements as long as there is a next poll. Resolves to the number that arrived. */
export async function sendRun(run: string, tracker: PythonTracker, options: SendOptions): Promise<number> {
  const { record } = openRun(run);
  const project = projectName(options.project ?? record.name);
  const to = { project, group: record.id, folder: options.folder, online: options.online };
  const python = await pythonWith(tracker, options.python);
  const sent = openSent(run, tracker, JSON.stringify(to));
  const client = new TrackerClient(python, tracker, sent);
  try {
    client.write({ ...to, config: readConfig(run) });
    const tell = async () => {
      for (const one of byStage(
        measurementsOf(run, { damage: options.damage }).filter(({ seq }) => seq > client.written),
      ))
        client.write(one);
      await client.arrived();
    };
    do await tell();
    while (await options.next());
    if (options.follow) await tell(); // records written while the run was found to have ended
    return await client.end();
  } finally {
    client.kill();
  }
}

/** Both trackers accept letters, digits and these. */
const projectName = (name: string) => name.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 100) || 'distillery';

/** Minimizes switches between runs of the tracker; within a stage the order is kept. */
function byStage(found: readonly Measurement[]): Measurement[] {
  const stages = [...new Set(found.map(({ stage }) => stage))];
  return stages.flatMap((stage) => found.filter((one) => one.stage === stage));
}

class TrackerClient {
  /** The greatest number written so far. */
  written: number;
  private waiting = 0;
  private count = 0;
  private done = false;
  private said = '';
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly ended: Promise<unknown>;
  private wake = () => {};

  constructor(
    python: string,
    private readonly tracker: PythonTracker,
    private readonly sent: SentPosition,
  ) {
    this.written = sent.seq;
    this.child = spawn(python, [join(packageRoot(), 'integrations', 'track.py'), tracker], {
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.child.stdin.on('error', () => {}); // its exit reports the end
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.said = (this.said + text).slice(-16_384);
    });
    this.ended = once(this.child, 'close').then(
      () => this.wake(),
      () => this.wake(),
    );
    createInterface(this.child.stdout).on('line', (line) => this.receive(JSON.parse(line)));
  }

  write(line: object): void {
    if ('seq' in line) {
      this.written = Math.max(this.written, Number(line.seq));
      this.waiting++;
    }
    this.child.stdin.write(`${encode(line)}\n`);
  }

  /** Resolves when everything written has arrived. */
  async arrived(): Promise<void> {
    while (this.waiting > 0) {
      this.check();
      await new Promise<void>((wake) => {
        this.wake = wake;
      });
    }
    this.sent.arrived(this.written);
    this.check();
  }

  async end(): Promise<number> {
    this.child.stdin.end();
    await this.ended;
    if (!this.done) throw this.failure();
    return this.count;
  }

  kill(): void {
    if (this.child.exitCode === null) this.child.kill();
  }

  private receive(answer: { seq?: number; done?: boolean }): void {
    if (answer.done) this.done = true;
    else {
      this.waiting--;
      this.count++;
    }
    this.wake();
  }

  private check(): void {
    if (this.child.exitCode !== null || this.child.signalCode !== null) throw this.failure();
  }

  /** The last line is the error message, as usual in Python. */
  private failure(): UserError {
    const last = this.said.trim().split('\n').at(-1) || `it ended with ${this.child.exitCode ?? this.child.signalCode}`;
    return new UserError(`${this.tracker} failed: ${last}`, {
      code: 'tracker',
      remedy: 'What arrived before is kept; the same command continues from there.',
    });
  }
}
