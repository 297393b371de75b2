/**
 * What clients of a training host see of it. Plain listeners, no editor types: for the extension and the terminal
 * alike.
 */
import type { HostEvent, Params, Progress, Result, Status } from '../protocol/control';

/** A host as a client sees it: what it is at, or why there is none to talk to. */
export type ClientState =
  /** No host runs (or none is known of). */
  | 'absent'
  | 'starting'
  | 'idle'
  | 'running'
  | 'pausing'
  | 'paused'
  | 'stopping'
  /** It ended without saying so. */
  | 'crashed'
  /** Its process lives, but it does not answer. */
  | 'lost';

/** A host that ended without saying so. */
export interface Crash {
  /** One sentence: what is known of why. */
  reason: string;
  /** `memory` and `config` would come again: such a host is not started anew by itself. */
  cause: 'unknown' | 'memory' | 'config';
  /** Folder of the run that was on: interrupted, can be resumed. */
  run?: string;
  /** Last lines of host.log. */
  log: string[];
  /** Milliseconds until the host is started again; absent: it is not. The run is never gone on with by itself. */
  restartInMs?: number;
}

export interface Listeners {
  /** The state changed. */
  state: (state: ClientState, before: ClientState) => void;
  /** Something happened in the host, in order, each once. */
  event: (event: HostEvent) => void;
  /** Events were missed, or the client has just come: this is how things stand now. */
  snapshot: (status: Status) => void;
  crash: (crash: Crash) => void;
}

export interface RequestOptions<P = never> {
  /** Ends the request early. */
  signal?: AbortSignal;
  /** Told what there is so far. */
  progress?: (part: P) => void;
}

/**
 * A training host: found or started when a request needs it. Requests reject with a UserError for what the user can
 * mend.
 */
export interface Host {
  /** The `.distillery` folder that it works for. */
  readonly folder: string;
  readonly state: ClientState;
  /** How things stood when last heard of, events included; undefined while no host is known. */
  readonly status: Status | undefined;
  /** Returns what ends it. */
  on<K extends keyof Listeners>(kind: K, listener: Listeners[K]): () => void;
  /** Connects to a host that runs; false where there is none. Never starts one. */
  attach(): Promise<boolean>;
  /** Connects to the host, starting it where there is none. Several calls are one. */
  connect(): Promise<void>;
  /** Resolves when the run's folder is there; `status` and events follow in a moment. */
  start(params: Params<'start'>): Promise<Result<'start'>>;
  resume(params: Params<'resume'>): Promise<Result<'resume'>>;
  /** The control verbs never start a host: with none there is nothing to pause, and they answer undefined. */
  pause(): Promise<Result<'pause'> | undefined>;
  stop(): Promise<Result<'stop'> | undefined>;
  cancel(): Promise<Result<'cancel'> | undefined>;
  evaluate(params: Params<'evaluate'>, options?: RequestOptions<Progress<'evaluate'>>): Promise<Result<'evaluate'>>;
  ask(params: Params<'ask'>, options?: RequestOptions<Progress<'ask'>>): Promise<Result<'ask'>>;
  rewrite(params: Params<'rewrite'>, options?: RequestOptions): Promise<Result<'rewrite'>>;
  tokenize(params: Params<'tokenize'>, options?: RequestOptions): Promise<Result<'tokenize'>>;
  doctor(options?: RequestOptions): Promise<Result<'doctor'>>;
  /** Ends an idle host; a busy one only with `evenBusy`, after a checkpoint. */
  shutdown(options?: Params<'shutdown'>): Promise<boolean>;
  /** Ends the host's process and all below it, for a host that is lost. Its run is interrupted. */
  kill(): Promise<void>;
  /** Lets go of the host, which runs on. */
  dispose(): void;
}
