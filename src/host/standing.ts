import type { Happening, HostState, Status } from '../protocol/control';
import { advance, restingStatus } from '../protocol/status';

/**
 * What moves a host from one state to another. Whatever is not listed for a state leaves it as it is: verbs can be
 * repeated.
 */
export const hostMoves: Record<HostState, Partial<Record<Cause, HostState>>> = {
  idle: { launch: 'running' },
  running: { pause: 'pausing', stop: 'stopping', ended: 'idle' },
  pausing: { continue: 'running', paused: 'paused', stop: 'stopping', ended: 'idle' },
  paused: { continue: 'running', stop: 'stopping', ended: 'idle' },
  stopping: { ended: 'idle' },
};
/**
 * `launch`, `pause`, `continue` and `stop` are asked for (cancel is a stop, too); `paused` and `ended` are the engine's
 * word.
 */
export type Cause = 'launch' | 'pause' | 'continue' | 'stop' | 'paused' | 'ended';

/** Where the host stands, kept up to date by what happens. */
export class Standing {
  private breath = Date.now();

  constructor(private now: Status = restingStatus) {}

  get state(): HostState {
    return this.now.state;
  }

  get run(): Status['run'] {
    return this.now.run;
  }

  get atWork(): boolean {
    return this.now.state !== 'idle' || this.now.jobs.length > 0;
  }

  /** The state that a cause leads to; undefined when it changes nothing. */
  next(cause: Cause): HostState | undefined {
    return hostMoves[this.now.state][cause];
  }

  take(happening: Happening): void {
    this.now = advance(this.now, happening);
  }

  /** The engine's thread is not blocked just now. */
  breathe(): void {
    this.breath = Date.now();
  }

  status(clients: number): Status {
    return { ...this.now, clients, silentMs: Math.max(0, Date.now() - this.breath) };
  }
}
