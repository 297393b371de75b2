/**
 * The client interface of a training host. Plain listeners and no editor types, so it serves extension and terminal.
 */
import type {
  HostControl,
  HostEvent,
  HostMethod,
  HostParams,
  HostResult,
  JobProgress,
  Status,
} from '../protocol/control';

/** The state of a host as a client sees it, or the reason why there is none. */
export type ClientState =
  /** No host is running, as far as known. */
  | 'absent'
  | 'starting'
  | 'idle'
  | 'running'
  | 'pausing'
  | 'paused'
  | 'stopping'
  /** It ended without an orderly shutdown. */
  | 'crashed'
  /** Its process lives, but it does not answer. */
  | 'lost';

/** A host that ended unexpectedly. */
export interface Crash {
  /** One sentence about the cause, as far as it is known. */
  reason: string;
  /** `memory` and `config` errors would recur, so the host is not restarted automatically. */
  cause: 'unknown' | 'memory' | 'config';
  /** Folder of the interrupted run, which can be resumed. */
  run?: string;
  /** Last lines of host.log. */
  log: string[];
  /** Milliseconds until the host is restarted; absent if it is not. The run is never resumed automatically. */
  restartInMs?: number;
}

export interface Listeners {
  /** The state has changed. */
  state: (state: ClientState, before: ClientState) => void;
  /** An event of the host; events come in order, each once. */
  event: (event: HostEvent) => void;
  /** Events were missed, or the client has just connected: the full current state. */
  snapshot: (status: Status) => void;
  crash: (crash: Crash) => void;
}

export interface RequestOptions<P = never> {
  /** Aborts the request. */
  signal?: AbortSignal;
  /** Called with intermediate results. */
  progress?: (part: P) => void;
}

/**
 * A training host, found or started when a request needs it. Requests reject with a UserError for errors that the user
 * can fix.
 */
export interface Host {
  /** The `.distillery` folder that it serves. */
  readonly folder: string;
  readonly state: ClientState;
  /** The last known status, events included; undefined while no host is known. */
  readonly status: Status | undefined;
  /** Returns a function that removes the listeners. */
  on<K extends keyof Listeners>(kind: K, listener: Listeners[K]): () => void;
  /** Connects to a running host; false if there is none. Never starts one. */
  attach(): Promise<boolean>;
  /** Starts the host if necessary. `start` resolves when the run's folder exists; events follow shortly. */
  request<M extends Exclude<HostMethod, HostControl>>(
    method: M,
    params: HostParams<M>,
    options?: RequestOptions<JobProgress<M>>,
  ): Promise<HostResult<M>>;
  /** Control requests never start a host: without one there is nothing to pause, and they resolve to undefined. */
  control(verb: HostControl): Promise<HostResult<HostControl> | undefined>;
  /** Ends an idle host; with `evenBusy` also a busy one, after a checkpoint. */
  shutdown(options?: HostParams<'shutdown'>): Promise<boolean>;
  /** Kills the process tree of a host that does not respond. Its run is interrupted. */
  kill(): Promise<void>;
  /** Disconnects from the host, which keeps running. */
  dispose(): void;
}
