/** How much memory training takes: what is asked, and what an engine answers. */
import type { LoraSettings } from '../config/lora';

/** What of the student is trained. */
export interface Learner {
  /** The adapter that is trained beside frozen weights; null: all weights are trained. */
  lora: Pick<LoraSettings, 'rank' | 'targets'> | null;
  /** Copies of the trained parameters beside the student's own: a reference policy, the rewriter of Stage 3. */
  copies: number;
}

/** The largest forward and backward pass of an update. */
export interface Pass {
  /** Tokens that the model reads. */
  tokens: number;
  /** Tokens of completions, which have a loss. */
  targets: number;
  /** Layers compute their activations again in the backward pass. */
  checkpointing: boolean;
  /** Gradients are added up over several passes. */
  accumulated: boolean;
}

/** The widest batch of a generation. */
export interface Generation {
  /** Completions side by side. */
  rows: number;
  /** Prompts among them: the completions of a group share theirs. */
  prompts: number;
  promptTokens: number;
  newTokens: number;
}

/** Bytes by what they are for. */
export interface Memory {
  /** The student's weights, frozen or not, with its adapter. */
  weights: number;
  /** Reference policy and rewriter. */
  copies: number;
  /** AdamW's two moments. */
  moments: number;
  gradients: number;
  /** What the backward pass needs of the forward pass, and its own work space. */
  activations: number;
  /** Work space of the output layer: logits are made in chunks. */
  vocabulary: number;
  /** The copy of the weights, the adapter in it, that generates. */
  merged: number;
  /** Keys and values of the completions that are being generated, with the logits of their next tokens. */
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
  /** Bytes that could be had now. */
  free: number;
  /** Bytes that could ever be had. */
  total: number;
}

/** What an engine says of the memory that it takes for one student, before any work is done. */
export interface MemoryModel {
  /**
   * Bytes of activations that "auto" settings stay below. Not what happens to be free: a run resumed elsewhere must go
   * on bit for bit.
   */
  readonly budget: number;
  /** Null where nobody knows how much there is. */
  limits(): MemoryLimits | null;
  /** At the peak of an update. */
  update(learner: Learner, pass: Pass): Memory;
  /** At the peak of a generation; `training`: with an optimizer beside it. */
  generation(learner: Learner, generation: Generation, training: boolean): Memory;
}
