/**
 * Messages between the host's two threads. The server thread answers clients at any time; the engine thread trains and
 * may not respond for seconds.
 */
import type { HostEventContent, HostFault, HostParams, JobKind } from '../protocol/control';

export type JobParams = { [K in JobKind]: HostParams<K> };
/** A unit of short work. */
export type Job = { [K in JobKind]: { kind: K; params: JobParams[K] } }[JobKind];

export type ToEngine =
  | { type: 'start'; id: string; params: HostParams<'start'> }
  | { type: 'resume'; id: string; run: string }
  | { type: 'job'; id: string; job: Job }
  | { type: 'cancelJob'; id: string }
  /** The user's own engine command and Tinker server, if a client sent them. */
  | ({ type: 'engines' } & Pick<HostParams<'hello'>['client'], 'engine' | 'tinker'>)
  | { type: 'verb'; verb: 'pause' | 'continue' | 'stop' | 'cancel' }
  /** Clients can reach the server. */
  | { type: 'listening' }
  | { type: 'end' };

export type ToServer =
  | { type: 'happening'; happening: Exclude<HostEventContent, { type: 'state' }> }
  /** The run waits, after its checkpoint. */
  | { type: 'paused' }
  | { type: 'answer'; id: string; result: unknown }
  /** `launch`: the request is for a run. */
  | { type: 'refusal'; id: string; fault: HostFault; launch?: boolean }
  | { type: 'progress'; id: string; part: unknown }
  /** A sign of life: the engine's thread is not blocked. */
  | { type: 'heartbeat' }
  /** The system asks the process to end. */
  | { type: 'terminate' };
