/**
 * The interface between the method and the engines. The curriculum decides on prompts, masks, rewards, advantages,
 * replay, learning rates and what is kept; an engine does the work that needs the weights. All calls are coarse,
 * asynchronous and exchange plain arrays, so an engine may run in this process, in another one, or on another machine.
 * The division follows the Tinker API.
 */
import type { Experiment } from '../config/experiment';
import type { LoraSettings } from '../config/lora';
import type { Episode, Example } from '../engine-data/examples';
import type { MemoryModel } from '../engine-data/memory';
import type { Completion, SampleOptions, SampleSummary } from '../engine-data/sampling';
import type {
  GrpoMeasures,
  GrpoOptions,
  SupervisedMeasures,
  SupervisedOptions,
  TokenMeasures,
} from '../engine-data/training';
import type { Spent } from '../spent';

/** The engine in use, as a run records it. An engine may add further fields that affect the results. */
export interface EngineInfo {
  /** The value of an experiment's `backend` that selects it. */
  name: string;
  /** One line for people, such as `native kernels, avx2, 2 threads`. */
  description: string;
  /** Instruction set of the kernels, if they are ours. */
  isa?: string;
  threads?: number;
  [more: string]: unknown;
}

export interface OpenOptions {
  /**
   * An adapter to train beside frozen weights; null: plain weights. A student that already has an adapter keeps it, or
   * gets it merged into its weights.
   */
  lora: LoraSettings | null;
  /** Seed of a new adapter's initial values. */
  seed: number;
  /** Called with one sentence if the student is not quite as requested. */
  warn?: (text: string) => void;
}

/**
 * Computes for one or more students. Errors that a user can fix are a UserError with a code: `memory` (names the
 * setting to lower), `diverged`, `checkpoint`, `config`, `backend`, `disk`, `missing`.
 */
export interface Engine {
  readonly info: EngineInfo;
  /** What was used so far, if the engine's server charges by the token. */
  readonly spent?: Spent;
  /** Adds to it what a resumed run has used in earlier sessions. */
  continueSpending?(before: Spent): void;
  /** Before a run: refuses settings that only the engine itself can judge. @throws UserError that names the setting */
  check?(experiment: Experiment): void;
  /**
   * The memory model of the student in `folder`, trained with that adapter or fully; null if unknown before the work.
   * Does not open the student.
   */
  memory(folder: string, lora: LoraSettings | null): Promise<MemoryModel | null>;
  /**
   * Measured floating-point operations per second of a large product; null if that does not predict the speed of
   * training.
   */
  speed(): Promise<number | null>;
  /** Loads the student in `folder`: a Hugging Face folder, a checkpoint, or (the embedded engine) a GGUF file. */
  open(folder: string, options: OpenOptions): Promise<Student>;
  /** Disposes of every student and ends the engine. */
  close(): Promise<void>;
}

export interface StudentFacts {
  vocabSize: number;
  /** Maximum sequence length, in tokens. */
  maxPositions: number;
  /** Number of parameters, and how many of them are trained (with an adapter: those of the adapter). */
  parameters: number;
  trainable: number;
}

/** The trained weights at one moment, kept by the engine; for a student with an adapter, the adapter. */
export interface Snapshot {
  /** Frees its memory. Closing the student does so too. */
  discard(): Promise<void>;
}

export interface LogProbOptions {
  /** Divisor of the logits (default: 1). */
  temperature?: number;
  /** See SupervisedOptions. */
  microBatchTokens: number;
  signal?: AbortSignal;
}

/** Measurements at each token of a completion. */
export interface TokenScores {
  /** Natural logarithms, one per token of the completion. */
  logProbs: Float32Array;
  /** Entropy of the distribution that the token was sampled from, in nats. */
  entropy: Float32Array;
}

export interface SupervisedStep extends SupervisedOptions {
  learningRate: number;
  /** Of dropout. */
  seed: number;
}

export interface GrpoUpdate {
  episodes: readonly Episode[];
  /** Examples whose cross-entropy is added to the loss. */
  replay: readonly Example[];
  /** The reference policy; used only when beta > 0. */
  reference: Snapshot | null;
  learningRate: number;
  /** Of dropout. */
  seed: number;
}

/**
 * A trainable policy. Calls are serialized: a second one waits for the first. A call that fails or is aborted leaves
 * the weights unchanged, unless documented otherwise.
 */
export interface Student {
  readonly facts: StudentFacts;
  /** AdamW steps since the optimizer was new; `load` takes it together with the moments. */
  readonly optimizerStep: number;

  /**
   * Samples `groupSize` completions per prompt, ordered by prompt and then by index in the group. Each draw is a
   * function of seed, stream, prompt and completion index, and position. @throws UserError when a prompt leaves no
   * position for an answer, or when the student's output is not finite
   */
  sample(
    prompts: readonly (readonly number[])[],
    options: SampleOptions,
  ): Promise<{ completions: Completion[]; summary: SampleSummary }>;

  /** Log-probabilities and entropies of each example's completion, in input order, without gradients. */
  logProbs(examples: readonly Example[], options: LogProbOptions): Promise<TokenScores[]>;

  /** The mean token cross-entropy of the examples, in nats, without dropout or training. */
  loss(examples: readonly Example[], options: Pick<LogProbOptions, 'microBatchTokens' | 'signal'>): Promise<number>;

  /**
   * One AdamW step on the mean token cross-entropy of the examples. @throws Diverged when loss or gradient is not
   * finite
   */
  supervisedStep(examples: readonly Example[], step: SupervisedStep): Promise<SupervisedMeasures>;

  /**
   * One GRPO update from scored samples: `iterations` x `minibatches` AdamW steps of the surrogate loss against the
   * log-probs at sampling, plus the cross-entropy of replayed examples. A step without any gradient leaves weights and
   * optimizer unchanged. `signal` aborts the update only while the weights are unchanged. @throws Diverged when loss or
   * gradient is not finite
   */
  grpoStep(update: GrpoUpdate, options: GrpoOptions): Promise<GrpoMeasures & { perToken: TokenMeasures }>;

  /** Resets the optimizer: moments 0, step 0. It uses no memory before its first step. */
  restartOptimizer(): Promise<void>;

  /**
   * Keeps a copy of the current trained weights, or those of a checkpoint of the same student: for a reference policy,
   * or to restore later.
   */
  snapshot(checkpoint?: string): Promise<Snapshot>;

  /** Restores a snapshot's weights. Snapshot and optimizer are unchanged. */
  restore(snapshot: Snapshot): Promise<void>;

  /**
   * Writes a Hugging Face folder, or PEFT's format for a student with an adapter, with the tokenizer files. `eosIds`
   * are written there as the end tokens, the usual one first. With `moments` also optimizer.safetensors:
   * `<parameter>.first` and `.second` in float32, with the names of the weights' file, so that another engine can
   * resume.
   */
  save(folder: string, options: { moments: boolean; eosIds: readonly number[] }): Promise<void>;

  /**
   * Loads the trained weights of a checkpoint of the same shape, and with `moments` its optimizer, which made `step`
   * steps.
   */
  load(folder: string, options: { moments: false } | { moments: true; step: number }): Promise<void>;

  dispose(): Promise<void>;
}
