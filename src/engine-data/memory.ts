/** Memory of training: the questions to an engine, and its answers. */
import type { LoraSettings } from '../config/lora';

/** The trained part of the student. */
export interface Learner {
  /** The adapter that is trained beside frozen weights; null: all weights are trained. */
  lora: Pick<LoraSettings, 'rank' | 'targets'> | null;
  /** Copies of the trained parameters besides the student's own: a reference policy, the rewriter of Stage 3. */
  copies: number;
}

/** The largest forward and backward pass of an update. */
export interface PassSize {
  /** Number of input tokens. */
  tokens: number;
  /** Number of completion tokens, which have a loss. */
  targets: number;
  /** Activations are recomputed in the backward pass. */
  checkpointing: boolean;
  /** Gradients are accumulated over several passes. */
  accumulated: boolean;
}

/** The largest sampling batch. */
export interface Generation {
  /** Completions in the batch. */
  rows: number;
  /** Distinct prompts in the batch: the completions of a group share theirs. */
  prompts: number;
  promptTokens: number;
  newTokens: number;
}

/** Bytes by purpose. */
export interface Memory {
  /** The student's weights, frozen or not, with its adapter. */
  weights: number;
  /** Reference policy and rewriter. */
  copies: number;
  /** AdamW's two moments. */
  moments: number;
  gradients: number;
  /** Activations saved for the backward pass, and its work space. */
  activations: number;
  /** Work space of the output layer, whose logits are computed in chunks. */
  vocabulary: number;
  /** The copy of the weights for sampling, with the adapter merged. */
  merged: number;
  /** KV cache of the sampled completions, with the logits of their next tokens. */
  cache: number;
}

export const noMemory: Memory = {
  weights: 0,
  copies: 0,
  moments: 0,
  gradients: 0,
  activations: 0,
  vocabulary: 0,
  merged: 0,
  cache: 0,
};

export const totalOf = (memory: Memory): number => Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);

export interface MemoryLimits {
  /** Bytes available now. */
  free: number;
  /** Bytes of the machine or its limit. */
  total: number;
}

/** An engine's memory estimate for one student, before any work is done. */
export interface MemoryModel {
  /**
   * The limit for activations that "auto" settings observe. It does not depend on free memory, because a run resumed
   * elsewhere must continue bit for bit.
   */
  readonly budget: number;
  /** Null if unknown. */
  limits(): MemoryLimits | null;
  /** At the peak of an update. */
  update(learner: Learner, pass: PassSize): Memory;
  /** At the peak of sampling; `training`: while an optimizer is in memory. */
  generation(learner: Learner, generation: Generation, training: boolean): Memory;
}
