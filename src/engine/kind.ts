import type { Backend } from '../config/backends';
import type { BackendReport } from '../kernels/backends';
import type { Engine } from './port';

/** A backend in the report of `distillery doctor`. */
export interface EngineReport extends Omit<BackendReport, 'name'> {
  name: string;
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
