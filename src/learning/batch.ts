import { dispose, type Tensor1D, tensor1d } from '@tensorflow/tfjs-core';
import type { Example } from '../engine-data/examples';
import { type PackedBatch, pack } from '../model/transformer';

/**
 * Examples packed for one forward pass. The model reads every token but each sequence's last one; row `rows[j]` of its
 * output predicts `targets[j]`. Only completion tokens are targets, so prompts have no loss and no logits.
 */
export interface PackedExamples extends PackedBatch {
  /** int32 [m] */
  rows: Tensor1D;
  /** int32 [m] */
  targets: Tensor1D;
  /** int32 [sequences + 1]: offsets of the completions among the m targets */
  targetStarts: Tensor1D;
  /** n */
  tokenCount: number;
}

/**
 * Packs examples (see PackedExamples). Consecutive examples with the same prompt, such as the completions of a group,
 * share its tokens,
 * so that the model reads it once. Prompts must not be empty, as the first completion token is predicted from the
 * prompt.
 */
export function packExamples(examples: readonly Example[]): PackedExamples {
  const inputs: (readonly number[])[] = [];
  const parents: number[] = [];
  const rows: number[] = [];
  const targets: number[] = [];
  const targetStarts = [0];
  let n = 0;
  const add = (tokens: readonly number[], parent: number) => {
    inputs.push(tokens);
    parents.push(parent);
    n += tokens.length;
  };
  for (const { prompt, completions } of sharedPrompts(examples)) {
    if (prompt.length === 0) throw new Error('An example needs a prompt of at least one token.');
    const [first, shared] = [inputs.length, completions.length > 1];
    if (shared) add(prompt, -1);
    const last = n - 1;
    for (const completion of completions) {
      const read = completion.slice(0, -1);
      add(shared ? read : [...prompt, ...read], shared ? first : -1);
      for (const [j, target] of completion.entries()) {
        rows.push(shared && j === 0 ? last : n - read.length - 1 + j);
        targets.push(target);
      }
      targetStarts.push(targets.length);
    }
  }
  const int32 = (values: number[]) => tensor1d(Int32Array.from(values), 'int32');
  return {
    ...pack(inputs, parents.some((parent) => parent >= 0) ? parents : undefined),
    rows: int32(rows),
    targets: int32(targets),
    targetStarts: int32(targetStarts),
    tokenCount: n,
  };
}

/** Runs of consecutive examples with the same prompt. */
function sharedPrompts(examples: readonly Example[]) {
  const runs: { prompt: readonly number[]; completions: (readonly number[])[] }[] = [];
  for (const { prompt, completion } of examples) {
    const run = runs.at(-1);
    if (run && equal(run.prompt, prompt)) run.completions.push(completion);
    else runs.push({ prompt, completions: [completion] });
  }
  return runs;
}

const equal = (a: readonly number[], b: readonly number[]) =>
  a === b || (a.length === b.length && a.every((token, i) => token === b[i]));

export function disposePacked(packed: PackedExamples): void {
  dispose(packed as unknown as Record<string, Tensor1D>);
}

/** Splits items, in order, into runs of at most `maxTokens` tokens (a longer item is a run of its own). */
export function microBatches<T extends Example>(items: readonly T[], maxTokens: number): T[][] {
  const batches: T[][] = [];
  let free = 0;
  for (const item of items) {
    const size = item.prompt.length + item.completion.length;
    if (size > free || batches.length === 0) {
      batches.push([]);
      free = maxTokens;
    }
    batches[batches.length - 1].push(item);
    free -= size;
  }
  return batches;
}
