/** Settings and metrics of optimizer steps. */
import type { AdamSettings } from '../config/adam';
import { UserError } from '../errors';
import type { LossType } from '../losses';
import type { KlEstimator } from '../losses/kl';
import type { WeightPrecision } from './sampling';

export interface OptimizerSettings {
  /** For matrices; norms and biases do not decay (as in Hugging Face's Trainer). */
  weightDecay: number;
  /** Gradients with a larger global norm are scaled down to it; 0 = never. */
  maxGradNorm: number;
  /** Default: PyTorch's. */
  adam?: AdamSettings;
}

/** Precision of the factors of matrix products in training; weights, moments and sums are always float32. */
export type ProductPrecision = 'float32' | 'bfloat16';

export interface SupervisedOptions extends OptimizerSettings {
  /** Rate of residual dropout. */
  dropout: number;
  /** Tokens per forward pass; larger batches are split into micro-batches whose gradients add up to the same update. */
  microBatchTokens: number;
  /**
   * Layers keep only their inputs for the backward pass and are recomputed there: a third more time, far less memory.
   */
  checkpointing?: boolean;
  /** Default: float32. Validation always uses float32. */
  precision?: ProductPrecision;
  /** Aborts an update between two micro-batches: it throws the signal's reason and has changed nothing. */
  signal?: AbortSignal;
}

export interface SupervisedMeasures {
  /** Mean token cross-entropy before the step, in nats. */
  loss: number;
  /** Before clipping; absent if the engine does not report it. */
  gradNorm?: number;
  /** Number of input tokens. */
  tokens: number;
}

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
   * Precision of the sampling weights. If they were rounded, ratios use the trained weights' log-probs at the beginning
   * of the update.
   */
  samplingPrecision?: WeightPrecision;
  /** The constant divisor of dr_grpo. */
  maxNewTokens: number;
  /** Passes over the same samples. */
  iterations: number;
  /** Optimizer steps per pass. */
  minibatches: number;
  /** Weight of the GRPO gradient; 0 leaves only the replay (a control experiment). */
  policyWeight: number;
  /** Weight of the cross-entropy on replayed examples. */
  replayWeight: number;
}

/**
 * Metrics of one update with TRL's meanings: means over all unmasked completion tokens, including flat groups, and over
 * its optimizer steps. Values that were not computed are absent.
 */
export interface GrpoMeasures {
  loss: number;
  /** Before clipping; absent if the engine does not report it. */
  gradNorm?: number;
  /** Number of input tokens. */
  tokens: number;
  /** Nats per token. */
  entropy?: number;
  ratio?: number;
  /** Only with a reference policy. */
  kl?: number;
  /**
   * Share of tokens (for gspo: of completions) clipped at the low side (advantage < 0) and at the high side (advantage
   * > 0). cispo has no low side; sapo has neither.
   */
  clipLow?: number;
  clipHigh?: number;
  /** Cross-entropy of the replayed examples, if any. */
  replayLoss?: number;
}

/** Measurements at every token of each episode, at the sampling temperature. */
export interface TokenMeasures {
  /** Nats, in the update's first pass over the episode; null if the engine does not report it. */
  entropy: Float32Array[] | null;
  /** Log-probabilities under the reference policy; null without one. */
  refLogProbs: Float32Array[] | null;
}

/** A loss or gradient is not finite; the weights are as before the update. */
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
