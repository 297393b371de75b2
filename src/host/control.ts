import { resolve } from 'node:path';
import { UserError } from '../errors';
import type { HostEventContent, HostFault, HostParams, HostResult, JobKind, Status } from '../protocol/control';
import { cancelledFault } from './faults';
import { EventJournal } from './journal';
import type { Job, ToEngine, ToServer } from './messages';
import { type Cause, HostStatus } from './status';

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  progress?: (part: unknown) => void;
}

/** An engine's refusal, with its parts unchanged. */
export class EngineRefusal extends Error {
  constructor(readonly fault: HostFault) {
    super(fault.message);
  }
}

/** Larger than the number of events and requests of any server thread. */
const idsPerStart = 1e9;

export interface ControlOptions {
  toEngine: (message: ToEngine) => void;
  /** Time for cancelled work to end, in milliseconds. */
  graceMs: number;
  /** Kills the process and its children now. */
  kill: () => void;
  /** Something changed that may make the host idle or busy. */
  changed: () => void;
  /** The initial state, and the number of earlier server threads. */
  status?: Status;
  starts?: number;
}

/** Handles the requests of clients: decides by state, passes work to the engine, and keeps the journal. */
export class Control {
  readonly journal: EventJournal;
  readonly hostStatus: HostStatus;
  private readonly pending = new Map<string, Pending>();
  private requests: number;
  /** The request that launched the current run, and its answer. */
  private launched?: { key: string; answer: Promise<HostResult<'start'>> };

  constructor(private readonly options: ControlOptions) {
    const { status, starts = 0 } = options;
    this.hostStatus = new HostStatus(status);
    // Cursors and ids of earlier threads are invalid: clients with such a cursor get a snapshot.
    this.requests = starts * idsPerStart;
    this.journal = new EventJournal(this.requests);
  }

  async start(params: HostParams<'start'>): Promise<HostResult<'start'>> {
    const key = JSON.stringify(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (this.launched?.key === key && this.hostStatus.state !== 'stopping')
      return { ...(await this.launched.answer), already: true };
    return this.launch(key, (id) => ({ type: 'start', id, params }));
  }

  async resume({ run }: HostParams<'resume'>): Promise<HostResult<'resume'>> {
    const folder = resolve(run);
    const { state, run: active } = this.hostStatus;
    if (active?.folder === folder && state !== 'stopping') {
      this.verb('continue');
      return { run: folder, already: true };
    }
    const key = `resume ${folder}`;
    if (this.launched?.key === key && state !== 'stopping') return { ...(await this.launched.answer), already: true };
    return this.launch(key, (id) => ({ type: 'resume', id, run: folder }));
  }

  /** Pausing a paused run or stopping a stopped one succeeds at once. */
  verb(verb: 'pause' | 'continue' | 'stop' | 'cancel'): HostResult<'stop'> {
    const moved = this.move(verb === 'cancel' ? 'stop' : verb);
    if (moved || verb === 'cancel') this.options.toEngine({ type: 'verb', verb });
    if (verb === 'cancel') this.endSoon();
    return { state: this.hostStatus.state, run: this.hostStatus.run?.folder };
  }

  /** Sets the user's own engine command and Tinker server, sent by a client. */
  useEngines({ engine, tinker }: HostParams<'hello'>['client']): void {
    if (engine !== undefined || tinker) this.options.toEngine({ type: 'engines', engine, tinker });
  }

  /** Short work. `signal` aborts it. */
  async job<K extends JobKind>(
    job: Extract<Job, { kind: K }>,
    signal: AbortSignal,
    progress?: (part: unknown) => void,
  ): Promise<HostResult<K>> {
    if (signal.aborted) throw new EngineRefusal(cancelledFault);
    const id = this.nextId();
    signal.addEventListener('abort', () => this.options.toEngine({ type: 'cancelJob', id }), { once: true });
    return this.ask(id, { type: 'job', id, job }, progress) as Promise<HostResult<K>>;
  }

  receive(message: Exclude<ToServer, { type: 'terminate' }>): void {
    switch (message.type) {
      case 'happening':
        this.take(message.happening);
        break;
      case 'paused':
        this.move('paused');
        break;
      case 'answer':
        this.settle(message.id)?.resolve(message.result);
        break;
      case 'refusal':
        this.refuse(message);
        break;
      case 'progress':
        this.pending.get(message.id)?.progress?.(message.part);
        break;
      case 'heartbeat':
        this.hostStatus.heartbeat();
        break;
    }
  }

  private refuse({ id, fault, launch }: Extract<ToServer, { type: 'refusal' }>): void {
    const pending = this.settle(id);
    if (pending) pending.reject(new EngineRefusal(fault));
    else if (launch) this.move('ended'); // requested before the server's thread was restarted
  }

  private async launch(key: string, message: (id: string) => ToEngine): Promise<HostResult<'start'>> {
    if (!this.move('launch')) throw this.busy();
    const id = this.nextId();
    const answer = this.ask(id, message(id)) as Promise<HostResult<'start'>>;
    this.launched = { key, answer };
    try {
      return await answer;
    } catch (error) {
      this.launched = undefined;
      this.move('ended'); // it ended before it had a folder
      throw error;
    }
  }

  private take(happening: Exclude<HostEventContent, { type: 'state' }>): void {
    this.record(happening);
    if (happening.type === 'ended') {
      this.launched = undefined;
      this.move('ended');
    }
    if (happening.type === 'ended' || happening.type === 'job') this.options.changed();
  }

  private move(cause: Cause): boolean {
    const state = this.hostStatus.next(cause);
    if (!state) return false;
    this.record({ type: 'state', state });
    this.options.changed();
    return true;
  }

  private record(happening: HostEventContent): void {
    this.hostStatus.take(happening);
    this.journal.add(happening);
  }

  /** Current work has been cancelled and gets some time to end; work that begins later is not affected. */
  private endSoon(): void {
    const { launched } = this;
    const jobs = [...this.pending.keys()];
    if (!launched && jobs.length === 0) return;
    setTimeout(() => {
      if ((launched && this.launched === launched) || jobs.some((id) => this.pending.has(id))) this.giveUp();
    }, this.options.graceMs);
  }

  /** The engine does not respond: cancelled work ends with the process. */
  private giveUp(): void {
    const { run } = this.hostStatus;
    const text = 'the work did not end in time, so the host is ended';
    this.record({ type: 'log', level: 'warning', text });
    if (run) this.take({ type: 'ended', run: run.folder, outcome: 'cancelled' });
    this.journal.tell();
    setTimeout(this.options.kill, 200); // leaves time for the last messages to reach the clients
  }

  private busy(): UserError {
    const { run, state } = this.hostStatus;
    return new UserError(run ? `the run ${run.name} is ${state}` : 'a run is being started', {
      file: run?.folder,
      code: 'busy',
      remedy: 'Wait for it or stop it: a host trains one student at a time.',
    });
  }

  private ask(id: string, message: ToEngine, progress?: (part: unknown) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject, progress });
      this.options.toEngine(message);
    });
  }

  private settle(id: string): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }

  private nextId(): string {
    return String(++this.requests);
  }
}
