import type { Experiment } from '../config/experiment';
import type { Tokenizer } from '../model/tokenizer';
import type { CurriculumEvent } from '../runs/events';
import type { StageName, UpdateMetrics } from '../runs/records';
import type { RunWriter } from '../runs/writer';
import type { Lesson } from './lessons';

export type { CurriculumEvent } from '../runs/events';

/** Everything that the stages of one run share. */
export interface Context {
  experiment: Experiment;
  tokenizer: Tokenizer;
  train: Lesson[];
  /** Held out from train; the only rows that choices are made on. */
  validation: Lesson[];
  test: Lesson[];
  run: RunWriter;
  /** The checkpoint that each finished stage chose; saved with every checkpoint. */
  results: Partial<Record<StageName, string>>;
  /** Seconds of training each stage took, over restarts. */
  seconds: Partial<Record<StageName, number>>;
  notify: (event: CurriculumEvent) => void;
  signal: AbortSignal;
}

/** What an update gives back: measurements, and the tokens it read and wrote (for tokens/s). */
export interface UpdateResult {
  metrics: Omit<UpdateMetrics, 'stage' | 'phase' | 'step' | 'lr' | 'tokensPerSecond'>;
  tokens: number;
}

/** Thrown out of a run that was asked to stop; its last checkpoint is written. */
export class Stopped extends Error {
  constructor() {
    super('The run was stopped.');
    this.name = 'Stopped';
  }
}
