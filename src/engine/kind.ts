import type { Backend } from '../config/backends';
import type { Engine } from './port';

/** A backend in the report of `distillery doctor`. */
export interface EngineReport {
  name: string;
  usable: boolean;
  /** A description if it is usable; otherwise the reason why not. */
  detail: string;
  /** How to get it, or its purpose. */
  advice: string;
  /** Speed of a large product, 10^9 operations per second; only if measured. */
  gflops?: number;
  /** New tokens per second of the built-in student; only if measured. */
  tokensPerSecond?: number;
}

/** A kind of engine: how to start one, and what is known before the start. */
export interface EngineKind {
  /** The values of an experiment's `backend` that select it. */
  readonly backends: readonly Backend[];
  /** @throws UserError when it is not available here, with the reason and the remedy */
  start(backend: Backend): Promise<Engine>;
  /** Whether it works here; `measure`: with its speed. */
  reports(options: { measure: boolean }): Promise<EngineReport[]>;
}
