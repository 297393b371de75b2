import type { HostEventContent, HostState, Status } from '../protocol/control';
import { advance, idleStatus } from '../protocol/status';

/** State transitions of a host. A cause that is not listed for a state has no effect, so requests can be repeated. */
export const hostMoves: Record<HostState, Partial<Record<Cause, HostState>>> = {
  idle: { launch: 'running' },
  running: { pause: 'pausing', stop: 'stopping', ended: 'idle' },
  pausing: { continue: 'running', paused: 'paused', stop: 'stopping', ended: 'idle' },
  paused: { continue: 'running', stop: 'stopping', ended: 'idle' },
  stopping: { ended: 'idle' },
};
/**
 * `launch`, `pause`, `continue` and `stop` are requests (cancel is a stop too); `paused` and `ended` come from the
 * engine.
 */
export type Cause = 'launch' | 'pause' | 'continue' | 'stop' | 'paused' | 'ended';

/** The current state of the host. */
export class HostStatus {
  private lastHeartbeat = performance.now();

  constructor(private now: Status = idleStatus) {}

  get state(): HostState {
    return this.now.state;
  }

  get run(): Status['run'] {
    return this.now.run;
  }

  get atWork(): boolean {
    return this.now.state !== 'idle' || this.now.jobs.length > 0;
  }

  /** The next state; undefined when nothing changes. */
  next(cause: Cause): HostState | undefined {
    return hostMoves[this.now.state][cause];
  }

  take(happening: HostEventContent): void {
    this.now = advance(this.now, happening);
  }

  /** Sign of life of the engine's thread. */
  heartbeat(): void {
    this.lastHeartbeat = performance.now();
  }

  status(clients: number): Status {
    return { ...this.now, clients, silentMs: Math.round(performance.now() - this.lastHeartbeat) };
  }
}
