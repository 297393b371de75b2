/**
 * What the method asks of whatever computes. The curriculum decides (prompts, masks, rewards, advantages, replay,
 * learning rates, what is kept); an engine does what needs the weights. Everything here is coarse, asynchronous and
 * made of plain arrays: an engine may compute in this process, in another one, or on another machine. The division is
 * that of the Tinker API.
 */
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

/** What computes, as a run records it. An engine may add what else tells one computation from another. */
export interface EngineInfo {
  /** The value of an experiment's `backend` that asks for it. */
  name: string;
  /** One line for a person, such as `native kernels, avx2, 2 threads`. */
  description: string;
  /** Instruction set of the kernels, where they are ours. */
  isa?: string;
  threads?: number;
  [more: string]: unknown;
}

export interface OpenOptions {
  /**
   * An adapter that is trained beside frozen weights; null: plain weights. A student that came with an adapter goes on
   * with that one, or has it merged into its weights.
   */
  lora: LoraSettings | null;
  /** Of a new adapter's first values. */
  seed: number;
  /** Told in one sentence where the student is not quite what was asked for. */
  warn?: (text: string) => void;
}

/**
 * Computes for one or more students. Anything a user can mend is a UserError with a code: `memory` (names the setting
 * to lower), `diverged`, `checkpoint`, `config`, `backend`, `disk`, `missing`.
 */
export interface Engine {
  readonly info: EngineInfo;
  /**
   * How much memory work on the student in `folder` takes here, trained with that adapter or whole; null where nobody
   * can say before it is done. Opens nothing.
   */
  memory(folder: string, lora: LoraSettings | null): Promise<MemoryModel | null>;
  /**
   * Floating-point operations a second of a large product, as measured now; null where that says little of the work to
   * come.
   */
  speed(): Promise<number | null>;
  /** Loads the student in `folder`: a Hugging Face folder, a checkpoint, or (the embedded engine) a GGUF file. */
  open(folder: string, options: OpenOptions): Promise<Student>;
  /** Disposes of every student and ends what the engine began. */
  close(): Promise<void>;
}

export interface StudentFacts {
  vocabSize: number;
  /** Longest sequence, in tokens. */
  maxPositions: number;
  /** Numbers in its weights, and how many of them (with an adapter: in that) are trained. */
  parameters: number;
  trainable: number;
}

/** Weights as they were at one moment, kept by the engine; of a student with an adapter, the adapter. */
export interface Snapshot {
  /** Gives the memory back. The student that it was taken of does so at its end, too. */
  discard(): Promise<void>;
}

export interface LogProbOptions {
  /** What logits are divided by; 1 unless said. */
  temperature?: number;
  /** See SupervisedOptions. */
  microBatchTokens: number;
  signal?: AbortSignal;
}

/** What was computed at each token of a completion. */
export interface TokenScores {
  /** Natural logarithms, one for each token of the completion. */
  logProbs: Float32Array;
  /** Of the distribution that the token was drawn from, in nats. */
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
  /** The reference policy; read only when beta > 0. */
  reference: Snapshot | null;
  learningRate: number;
  /** Of dropout. */
  seed: number;
}

/**
 * A policy that learns. One call at a time: a second one waits for the first. A call that fails or is aborted leaves
 * the weights as they were before it, unless it says otherwise.
 */
export interface Student {
  readonly facts: StudentFacts;
  /** AdamW steps since the optimizer was new; what `load` is told with moments. */
  readonly optimizerStep: number;

  /**
   * Samples `groupSize` completions of each prompt; they come ordered by prompt and then by index in the group. Each
   * draw is a function of seed, stream, prompt and completion index, and place. Throws a UserError when a prompt leaves
   * no position for an answer, or when the student's output is not a number.
   */
  sample(
    prompts: readonly (readonly number[])[],
    options: SampleOptions,
  ): Promise<{ completions: Completion[]; summary: SampleSummary }>;

  /** Log-probabilities and entropies of each example's completion, in their order, without gradients. */
  logProbs(examples: readonly Example[], options: LogProbOptions): Promise<TokenScores[]>;

  /** The mean token cross-entropy of the examples, in nats, without dropout and without learning from them. */
  loss(examples: readonly Example[], options: Pick<LogProbOptions, 'microBatchTokens' | 'signal'>): Promise<number>;

  /**
   * One AdamW step on the mean token cross-entropy of the examples. Throws Diverged when loss or gradient is not
   * finite.
   */
  supervisedStep(examples: readonly Example[], step: SupervisedStep): Promise<SupervisedMeasures>;

  /**
   * One GRPO update from scored samples: `iterations` x `minibatches` AdamW steps of the surrogate against the
   * log-probs at sampling, plus the cross-entropy of replayed examples. A step without any gradient leaves weights and
   * optimizer as they are. `signal` ends the update only as long as the weights are unchanged. Throws Diverged when
   * loss or gradient is not finite.
   */
  grpoStep(update: GrpoUpdate, options: GrpoOptions): Promise<GrpoMeasures & { perToken: TokenMeasures }>;

  /** A fresh optimizer: moments 0, step 0. It takes no memory before its first step. */
  restartOptimizer(): Promise<void>;

  /**
   * Keeps the trained weights as they are now, or as a checkpoint of the same student has them: for a reference policy,
   * or to go back to.
   */
  snapshot(checkpoint?: string): Promise<Snapshot>;

  /** Puts a snapshot's weights back; it stays as it is. The optimizer is left alone. */
  restore(snapshot: Snapshot): Promise<void>;

  /**
   * Writes a Hugging Face folder, or PEFT's of a student with an adapter, with the tokenizer's files; `eosIds`: what
   * ends its texts, the usual one first, which the files are made to say. With `moments` also optimizer.safetensors:
   * `<parameter>.first` and `.second` in float32, by the names in the weights' file, so that another engine can go on
   * from it.
   */
  save(folder: string, options: { moments: boolean; eosIds: readonly number[] }): Promise<void>;

  /**
   * Takes the trained weights of a checkpoint of the same shape, and with `moments` its optimizer, which made `step`
   * steps.
   */
  load(folder: string, options: { moments: false } | { moments: true; step: number }): Promise<void>;

  dispose(): Promise<void>;
}
