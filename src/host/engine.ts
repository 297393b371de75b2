import { loadExperiment } from '../config/load';
import { adjust } from '../curriculum/adjust';
import { Cancelled, type CurriculumEvent, Stopped } from '../curriculum/context';
import { resumeRun, type SessionOptions, startRun } from '../curriculum/session';
import { examineMachine, machineProblems } from '../engine/machine';
import type { Engine as Computing } from '../engine/port';
import { askForEngine } from '../engine/process/installed';
import { askForTinker } from '../engine/tinker/server';
import { UserError } from '../errors';
import type { HostParams, HostState } from '../protocol/control';
import { copyDecisions } from '../runs/decisions';
import type { Space } from '../runs/space';
import type { RunWriter } from '../runs/writer';
import { cancelledFault, faultOf, log } from './faults';
import type { Job, ToEngine, ToServer } from './messages';
import { Students } from './students';
import { doAsk, doEvaluate, doRewrite } from './work';

interface CurrentRun {
  stop: AbortController;
  writer?: RunWriter;
  engine?: Computing;
  /** The run is waiting between two updates, so short work can be done. */
  resting: boolean;
  /** Set while the run is paused; called to resume it. */
  paused: boolean;
  wake: () => void;
}

interface QueuedJob {
  id: string;
  job: Job;
  abort: AbortController;
}

/**
 * The engine's thread. It runs one run at a time, and short work (evaluations, questions) sequentially: at once when no
 * run is in progress, else between two updates. Reports events with `post`.
 */
export class EngineThread {
  private session?: CurrentRun;
  private readonly queue: QueuedJob[] = [];
  private atWork?: QueuedJob;
  private draining?: Promise<void>;
  private readonly students = new Students();

  constructor(
    private readonly runsFolder: string,
    private readonly post: (message: ToServer) => void,
  ) {}

  /** Its current state, for a restarted server thread. */
  get state(): HostState {
    const { session } = this;
    if (!session) return 'idle';
    if (session.stop.signal.aborted) return 'stopping';
    if (!session.paused) return 'running';
    return session.writer?.record.state === 'paused' ? 'paused' : 'pausing';
  }

  /** Aborts short work whose client is gone. */
  abandonJobs(): void {
    this.cancelJobs(() => true);
  }

  receive(message: Exclude<ToEngine, { type: 'end' | 'listening' }>): void {
    switch (message.type) {
      case 'start':
        void this.launch(message.id, false, (session) => this.start(message.params, session));
        break;
      case 'resume':
        void this.launch(message.id, true, (session) => resumeRun(message.run, session));
        break;
      case 'job':
        this.queue.push({ id: message.id, job: message.job, abort: new AbortController() });
        this.reportJob(message.id, message.job, 'waiting');
        void this.drain();
        break;
      case 'cancelJob':
        this.cancelJobs(({ id }) => id === message.id);
        break;
      case 'engines': {
        const { engine: text, tinker } = message;
        if (text !== undefined) askForEngine({ text, origin: 'the setting distillery.engine.command' });
        if (tinker) askForTinker(tinker);
        break;
      }
      case 'verb':
        this.carryOut(message.verb);
        break;
    }
  }

  private carryOut(verb: Extract<ToEngine, { type: 'verb' }>['verb']): void {
    const { session } = this;
    if (verb === 'cancel') this.cancelJobs(() => true);
    if (!session) return;
    if (verb === 'pause') {
      session.paused = true;
      if (session.writer?.record.state === 'paused') this.post({ type: 'paused' });
      return;
    }
    session.paused = false;
    if (verb === 'stop') session.stop.abort();
    if (verb === 'cancel') session.stop.abort(new Cancelled());
    session.wake();
  }

  private start(
    { runs, stages, experiment: file, decisions, ...changes }: HostParams<'start'>,
    session: SessionOptions,
  ) {
    const { experiment, warnings } = loadExperiment(file, { quick: changes.quick ?? false });
    const adjusted = adjust(experiment, { ...changes, stage: stages });
    const warn = (text: string) => session.notify({ type: 'note', level: 'warning', text });
    for (const { message } of warnings) warn(message);
    const onStart: SessionOptions['onStart'] = (writer, engine) => {
      if (decisions !== undefined) copyDecisions(decisions, writer.folder, warn);
      session.onStart?.(writer, engine);
    };
    return startRun(adjusted, runs ?? this.runsFolder, { ...session, onStart });
  }

  /** Manages a run from start to end, whatever its outcome. The request is answered when the run's folder exists. */
  private async launch(id: string, resumed: boolean, begin: (session: SessionOptions) => Promise<unknown>) {
    const session: CurrentRun = { stop: new AbortController(), resting: false, paused: false, wake: () => {} };
    this.session = session;
    await this.draining; // lets the current job finish
    await this.students.release();
    const early: CurriculumEvent[] = [];
    const tell: SessionOptions['notify'] = (event) => {
      if (!session.writer) early.push(event);
      else this.report({ type: 'curriculum', run: session.writer.folder, event });
    };
    try {
      await begin({
        notify: tell,
        signal: session.stop.signal,
        betweenUpdates: (checkpoint, space) => this.betweenUpdates(session, checkpoint, space),
        onStart: (writer, engine) => {
          Object.assign(session, { writer, engine });
          const { folder, record } = writer;
          const run = { folder, name: record.name, backend: engine.info.description, since: new Date().toISOString() };
          this.report({ type: 'run', run, resumed });
          this.post({ type: 'answer', id, result: { run: folder, already: false } });
          early.forEach(tell);
        },
      });
      this.report({ type: 'ended', run: session.writer!.folder, outcome: 'finished' });
    } catch (error) {
      const stopped = error instanceof Stopped || (error as Error)?.name === 'AbortError';
      if (!stopped && !(error instanceof UserError)) log('error', (error as Error)?.stack ?? String(error));
      if (!session.writer) this.post({ type: 'refusal', id, fault: faultOf(error), launch: true });
      else {
        const uncancelled = stopped ? 'stopped' : 'failed';
        const outcome = error instanceof Cancelled ? 'cancelled' : uncancelled;
        const fault = stopped ? undefined : faultOf(error);
        this.report({ type: 'ended', run: session.writer.folder, outcome, fault });
      }
    } finally {
      this.session = undefined;
      void this.drain();
    }
  }

  /** Between two updates: does waiting short work, then waits while the run is paused. */
  private async betweenUpdates(session: CurrentRun, checkpoint: () => Promise<void>, space: Space): Promise<void> {
    session.resting = true;
    await this.drain();
    const { stop, writer } = session;
    await space.enough();
    if (session.paused && !stop.signal.aborted) {
      await checkpoint();
      await space.write(() => writer!.update({ state: 'paused' }));
      this.post({ type: 'paused' });
      while (session.paused && !stop.signal.aborted) await new Promise<void>((resolve) => (session.wake = resolve));
      await space.write(() => writer!.update({ state: 'running' }));
    }
    session.resting = false;
    await this.draining;
  }

  /** Does waiting short work while memory allows. */
  private drain(): Promise<void> {
    const mayWork = () => !this.session || this.session.resting;
    this.draining ??= (async () => {
      while (this.queue.length > 0 && mayWork()) await this.do(this.queue.shift()!);
    })().finally(() => {
      this.draining = undefined;
    });
    return this.draining;
  }

  private async do(queued: QueuedJob): Promise<void> {
    const { id, job, abort } = queued;
    this.atWork = queued;
    this.reportJob(id, job, 'working');
    try {
      const result = await this.perform(job, abort.signal, (part) => this.post({ type: 'progress', id, part }));
      abort.signal.throwIfAborted();
      this.post({ type: 'answer', id, result });
    } catch (error) {
      const cancelled = abort.signal.aborted;
      if (!cancelled && !(error instanceof UserError)) log('error', (error as Error)?.stack ?? String(error));
      this.post({ type: 'refusal', id, fault: cancelled ? cancelledFault : faultOf(error) });
    } finally {
      this.atWork = undefined;
      this.reportJob(id, job, 'done');
    }
  }

  private async perform(job: Job, signal: AbortSignal, progress: (part: unknown) => void): Promise<unknown> {
    if (job.kind === 'doctor') {
      const facts = await examineMachine(this.runsFolder);
      return { ...facts, problems: machineProblems(facts) };
    }
    try {
      const student = await this.students.load(job.params.checkpoint, this.session?.engine);
      const bench = { ...student, signal, progress };
      if (job.kind === 'evaluate') return await doEvaluate(job.params, bench);
      if (job.kind === 'ask') return await doAsk(job.params, bench);
      return await doRewrite(job.params, bench);
    } finally {
      // During a run no memory is free for a second student.
      if (this.session) await this.students.release();
      else this.students.unloadLater();
    }
  }

  private cancelJobs(which: (job: QueuedJob) => boolean): void {
    if (this.atWork && which(this.atWork)) this.atWork.abort.abort();
    for (const queued of this.queue.filter(which)) {
      this.queue.splice(this.queue.indexOf(queued), 1);
      this.post({ type: 'refusal', id: queued.id, fault: cancelledFault });
      this.reportJob(queued.id, queued.job, 'done');
    }
  }

  private reportJob(id: string, { kind }: Job, state: 'waiting' | 'working' | 'done'): void {
    this.report({ type: 'job', id, kind, state });
  }

  private report(happening: Extract<ToServer, { type: 'happening' }>['happening']): void {
    this.post({ type: 'happening', happening });
  }
}
