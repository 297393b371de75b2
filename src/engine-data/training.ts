/** Settings and measurements of optimizer steps. */
import type { AdamSettings } from '../config/adam';
import type { LossType } from '../config/training';
import { UserError } from '../errors';
import type { WeightPrecision } from './sampling';

export interface OptimizerSettings {
  /** Of matrices; norms and biases do not decay (as in the Trainer of Hugging Face). */
  weightDecay: number;
  /** Gradients with a larger global norm are scaled down to it; 0 = never. */
  maxGradNorm: number;
  /** PyTorch's defaults unless given. */
  adam?: AdamSettings;
}

/**
 * How the factors of matrix products are rounded while a student learns; weights, moments and sums are float32 always.
 */
export type ProductPrecision = 'float32' | 'bfloat16';

export interface SupervisedOptions extends OptimizerSettings {
  /** Rate of residual dropout. */
  dropout: number;
  /**
   * Tokens that one forward pass holds; more are split into micro-batches, whose gradients add up to the same update.
   */
  microBatchTokens: number;
  /**
   * Layers keep only their inputs for the backward pass and are computed again there: a third more time, far less
   * memory.
   */
  checkpointing?: boolean;
  /** float32 unless said. Validation is in float32 always. */
  precision?: ProductPrecision;
  /** Ends an update early, between two micro-batches: it throws what this was aborted with, and has changed nothing. */
  signal?: AbortSignal;
}

export interface SupervisedMeasures {
  /** Mean token cross-entropy before the step, in nats. */
  loss: number;
  /** Before clipping; absent where the engine does not say. */
  gradNorm?: number;
  /** Tokens that the student read. */
  tokens: number;
}

export type { LossType };

/** KL estimators of Schulman (2020); `k3+` is k3 in value with the gradient of k2 (the right one for reverse KL). */
export type KlEstimator = 'k1' | 'k2' | 'k3' | 'k3+';

export interface GrpoOptions extends SupervisedOptions {
  loss: LossType;
  clipLow: number;
  clipHigh: number;
  /** sapo's temperatures, by the sign of the advantage. */
  sapoTemperature: { positive: number; negative: number };
  beta: number;
  kl: KlEstimator;
  temperature: number;
  /**
   * Of the weights that sampled. Where they were rounded, ratios are against the log-probs that the trained weights
   * give when the update begins.
   */
  samplingPrecision?: WeightPrecision;
  /** The constant that dr_grpo divides by. */
  maxNewTokens: number;
  /** Passes over the same samples. */
  iterations: number;
  /** Optimizer steps a pass. */
  minibatches: number;
  /** Weight of the GRPO gradient itself; 0 leaves only the replay (a control experiment). */
  policyWeight: number;
  /** Weight of the cross-entropy on replayed examples. */
  replayWeight: number;
}

/**
 * Measurements of one update with TRL's meanings: means over all unmasked completion tokens, those of flat groups too,
 * and over its optimizer steps. What was not computed is absent.
 */
export interface GrpoMeasures {
  loss: number;
  /** Before clipping; absent where the engine does not say. */
  gradNorm?: number;
  /** Tokens that the student read. */
  tokens: number;
  /** Nats a token. */
  entropy?: number;
  ratio?: number;
  /** With a reference. */
  kl?: number;
  /**
   * Share of tokens, of gspo's completions, that are clipped at the low side (advantage < 0) and at the high side
   * (advantage > 0). cispo has no low side, sapo neither.
   */
  clipLow?: number;
  clipHigh?: number;
  /** Cross-entropy of the replayed examples, where there are any. */
  replayLoss?: number;
}

/** What was computed at every token of each episode, at the sampling temperature. */
export interface TokenMeasures {
  /** Nats, in the update's first pass over the episode; null where the engine does not say. */
  entropy: Float32Array[] | null;
  /** Log-probabilities under the reference; null without one. */
  refLogProbs: Float32Array[] | null;
}

/** A loss or gradient that is no longer a number; the weights are as they were before the update. */
export class Diverged extends UserError {
  constructor(what: string, checkpoint?: string) {
    super(`Training diverged: ${what} is not a finite number.`, {
      code: 'diverged',
      remedy:
        'Lower learningRate or maxGradNorm, or raise ' +
        `warmup${checkpoint ? `; the last good checkpoint is ${checkpoint}` : ''}.`,
    });
  }
}
