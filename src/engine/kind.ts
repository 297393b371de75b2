import type { Backend } from '../config/backends';
import type { Engine } from './port';

/** What `distillery doctor` says of a way to compute. */
export interface EngineReport {
  name: string;
  usable: boolean;
  /** What it is when it is usable; else why it is not. */
  detail: string;
  /** How to get it, or what it is for. */
  advice: string;
  /** Speed of a large product, 10^9 operations a second; only where it was measured. */
  gflops?: number;
  /** New tokens a second of the built-in student; only where they were measured. */
  tokensPerSecond?: number;
}

/** One way to compute: what starts an engine, and what is known of it before. */
export interface EngineKind {
  /** The values of an experiment's `backend` that ask for it. */
  readonly backends: readonly Backend[];
  /** Throws a UserError where it cannot be had here, with the reason and the remedy. */
  start(backend: Backend): Promise<Engine>;
  /** Whether it works here; `measure`: with its speed. */
  reports(options: { measure: boolean }): Promise<EngineReport[]>;
}
