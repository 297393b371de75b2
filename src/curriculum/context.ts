import type { Experiment } from '../config/experiment';
import type { CodeRewards } from '../rewards/code/code-rewards';
import type { CurriculumEvent } from '../runs/events';
import type { UpdateMetrics } from '../runs/records';
import type { Space } from '../runs/space';
import type { RunWriter } from '../runs/writer';
import type { Spent } from '../spent';
import type { StageName } from '../stages';
import type { Tokenizer } from '../student-files/tokenizer';
import type { Lesson } from './lessons/lessons';

export type { CurriculumEvent } from '../runs/events';

/** Shared by all stages of one run. */
export interface Context {
  experiment: Experiment;
  tokenizer: Tokenizer;
  train: Lesson[];
  /** The rewards in code of this run. */
  code: CodeRewards;
  /** Held out from train; the only rows used for selection. */
  validation: Lesson[];
  test: Lesson[];
  run: RunWriter;
  /** All writes to the run go through it, so that a full disk makes the run wait. */
  space: Space;
  /** The checkpoint selected by each finished stage; saved with every checkpoint. */
  results: Partial<Record<StageName, string>>;
  /** Training seconds of each stage, summed over restarts. */
  seconds: Partial<Record<StageName, number>>;
  notify: (event: CurriculumEvent) => void;
  /** What was used so far of a server that charges by the token. */
  spent?: () => Spent | undefined;
  /**
   * The run was killed and has no newer checkpoint: the next update is saved at once, so that a run that is killed
   * again makes progress.
   */
  interrupted: boolean;
  /** Aborted with `Cancelled` to end at once; with any other reason to end after a checkpoint. */
  signal: AbortSignal;
  /**
   * Called between two updates and before tests, where no tensor is partially computed. The caller can pause the run
   * here, do other work, and request a checkpoint of the progress so far (written only if there is any). It also waits
   * here for disk space.
   */
  betweenUpdates?: (checkpoint: () => Promise<void>, space: Space) => Promise<void>;
}

/** The results of an update: metrics, the tokens read and written (for tokens/s), and the sampled completions. */
export interface UpdateResult {
  metrics: Omit<UpdateMetrics, 'stage' | 'phase' | 'step' | 'lr' | 'tokensPerSecond'>;
  tokens: number;
  rollouts?: Parameters<RunWriter['rollouts']>[2];
}

/** Thrown out of a run that was asked to stop, after its last checkpoint is written. */
export class Stopped extends Error {
  constructor() {
    super('The run was stopped.');
    this.name = 'Stopped';
  }
}

/** The abort reason that ends a run without a last checkpoint. */
export class Cancelled extends Stopped {
  constructor() {
    super();
    this.message = 'The run was cancelled.';
    this.name = 'Cancelled';
  }
}

export type Note = Omit<Extract<CurriculumEvent, { type: 'note' }>, 'type'>;

/** Sends a message to the user. */
export function note(notify: Context['notify'], text: string, level: 'info' | 'warning' = 'info'): void {
  notify({ type: 'note', level, text });
}

/** Ends the run if that was requested. */
export function endIfAsked({ signal }: Pick<Context, 'signal'>): void {
  if (signal.aborted) throw signal.reason instanceof Stopped ? signal.reason : new Stopped();
}
