import { dispose, type Tensor1D, tensor1d } from '@tensorflow/tfjs-core';
import type { Example } from '../engine-data/examples';
import { type Batch, pack } from '../model/transformer';

/**
 * Examples packed for one forward pass. The model reads every token but each sequence's last one; row `rows[j]` of its
 * output predicts `targets[j]`. Only completion tokens are targets, so prompts carry no loss and no logits.
 */
export interface PackedExamples extends Batch {
  /** int32 [m] */
  rows: Tensor1D;
  /** int32 [m] */
  targets: Tensor1D;
  /** int32 [sequences + 1]: where each completion begins among the m targets */
  targetStarts: Tensor1D;
  /** n */
  tokenCount: number;
}

/** Packs examples (see PackedExamples). Prompts must not be empty: the first completion token is predicted from the prompt. */
export function packExamples(examples: readonly Example[]): PackedExamples {
  const inputs: number[][] = [];
  const rows: number[] = [];
  const targets: number[] = [];
  const targetStarts = [0];
  let start = 0;
  for (const { prompt, completion } of examples) {
    if (prompt.length === 0) throw new Error('An example needs a prompt of at least one token.');
    inputs.push([...prompt, ...completion.slice(0, -1)]);
    for (let j = 0; j < completion.length; j++) {
      rows.push(start + prompt.length - 1 + j);
      targets.push(completion[j]);
    }
    start += inputs[inputs.length - 1].length;
    targetStarts.push(targets.length);
  }
  const int32 = (values: number[]) => tensor1d(Int32Array.from(values), 'int32');
  return {
    ...pack(inputs),
    rows: int32(rows),
    targets: int32(targets),
    targetStarts: int32(targetStarts),
    tokenCount: start,
  };
}

export function disposePacked(packed: PackedExamples): void {
  dispose(packed as unknown as Record<string, Tensor1D>);
}

/** Splits items, in order, into runs of at most `maxTokens` tokens (an item longer than that stands alone). */
export function microBatches<T extends Example>(items: readonly T[], maxTokens: number): T[][] {
  const batches: T[][] = [];
  let room = 0;
  for (const item of items) {
    const size = item.prompt.length + item.completion.length;
    if (size > room || batches.length === 0) {
      batches.push([]);
      room = maxTokens;
    }
    batches[batches.length - 1].push(item);
    room -= size;
  }
  return batches;
}
