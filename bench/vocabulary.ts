/** Peak memory of tokenLogProbs and its gradient for vocabularies of growing size, measured by the tensor allocator. */
import { dispose, findBackend, type Tensor2D } from '@tensorflow/tfjs-core';
import { type BackendName, useBackend } from '../src/kernels/backends';
import type { EmbeddedBackend } from '../src/kernels/embedded/backend';
import { tokenLogProbs } from '../src/kernels/interface';
import type { Block } from '../src/kernels/native/library';
import { tapeGradients } from '../src/kernels/testing/gradient';
import { randomIds, randomTensor } from '../src/kernels/testing/random';

export const tokens = 512;
const width = 256;
const vocabularies = [512, 32_000, 152_000];

/** Bytes. */
export interface Peak {
  backend: BackendName;
  vocab: number;
  weight: number;
  /** Peak allocation without the weight and its gradient. */
  beyond: number;
  /** Unused ends of blocks, which are rounded up for reuse (native/pool.ts). */
  rounding: number;
  /** Size of the logits [tokens, vocab]. */
  logits: number;
}

export async function vocabularyPeaks(backend: BackendName): Promise<Peak[]> {
  await useBackend(backend);
  return vocabularies.map((vocab) => {
    const [hidden, weight] = [randomTensor(1, [tokens, width]), randomTensor(2, [vocab, width], 0.02)] as Tensor2D[];
    const [ids, dy] = [randomIds(3, tokens, vocab), randomTensor(4, [tokens])];
    const gradients = () =>
      dispose(tapeGradients(() => tokenLogProbs(hidden, weight, ids).logProbs, [hidden, weight], dy));
    gradients(); // inputs are now in memory that kernels can access
    const weightBytes = 4 * vocab * width;
    const peak = peakOf(backend, gradients);
    dispose([hidden, weight, ids, dy]);
    // The weight was allocated before; its gradient has the same size.
    return {
      backend,
      vocab,
      weight: weightBytes,
      beyond: peak.asked - weightBytes,
      rounding: peak.used - peak.asked,
      logits: 4 * tokens * vocab,
    };
  });
}

/** Peak bytes in use during `work`, beyond those before it, and how many of them were requested. */
function peakOf(name: BackendName, work: () => void): { used: number; asked: number } {
  const { memory } = (findBackend(name) as EmbeddedBackend).library;
  const { allocate, release } = memory;
  const before = memory.usage().used;
  const excess = new Map<Block, number>();
  let peak = { used: 0, asked: 0 };
  memory.allocate = (bytes) => {
    const block = allocate.call(memory, bytes);
    excess.set(block, block.bytes - bytes);
    const used = memory.usage().used - before;
    if (used > peak.used) peak = { used, asked: [...excess.values()].reduce((asked, extra) => asked - extra, used) };
    return block;
  };
  memory.release = (block) => {
    excess.delete(block);
    release.call(memory, block);
  };
  try {
    work();
  } finally {
    Object.assign(memory, { allocate, release });
  }
  return peak;
}
