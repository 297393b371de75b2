import type { Experiment } from '../config/experiment';
import type { CurriculumEvent } from '../runs/events';
import type { UpdateMetrics } from '../runs/records';
import type { Space } from '../runs/space';
import type { RunWriter } from '../runs/writer';
import type { StageName } from '../stages';
import type { Tokenizer } from '../student-files/tokenizer';
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
  /** Whatever is written into the run is written through it, so that a full disk is waited for. */
  space: Space;
  /** The checkpoint that each finished stage chose; saved with every checkpoint. */
  results: Partial<Record<StageName, string>>;
  /** Seconds of training each stage took, over restarts. */
  seconds: Partial<Record<StageName, number>>;
  notify: (event: CurriculumEvent) => void;
  /**
   * The run was killed, and has taken no checkpoint since: the next update is kept at once, so that a run that is
   * killed again gets on.
   */
  interrupted: boolean;
  /** Aborted with `Cancelled` to end at once, with anything else to end after a checkpoint. */
  signal: AbortSignal;
  /**
   * Called between two updates and before tests, where no tensor is half made: whoever conducts the run may make it
   * wait there, do other work meanwhile, and have a checkpoint of what was done so far (where there is something new to
   * keep). It waits for space there, too.
   */
  rest?: (checkpoint: () => Promise<void>, space: Space) => Promise<void>;
}

/** What an update gives back: measurements, the tokens it read and wrote (for tokens/s), and what it sampled. */
export interface UpdateResult {
  metrics: Omit<UpdateMetrics, 'stage' | 'phase' | 'step' | 'lr' | 'tokensPerSecond'>;
  tokens: number;
  rollouts?: Parameters<RunWriter['rollouts']>[2];
}

/** Thrown out of a run that was asked to stop; its last checkpoint is written. */
export class Stopped extends Error {
  constructor() {
    super('The run was stopped.');
    this.name = 'Stopped';
  }
}

/** The reason of a signal that ends a run without a last checkpoint. */
export class Cancelled extends Stopped {
  constructor() {
    super();
    this.message = 'The run was cancelled.';
    this.name = 'Cancelled';
  }
}

/** Ends the run when it was asked to end. */
export function endIfAsked({ signal }: Pick<Context, 'signal'>): void {
  if (signal.aborted) throw signal.reason instanceof Stopped ? signal.reason : new Stopped();
}
