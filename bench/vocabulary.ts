/** Peak memory of tokenLogProbs and its gradient over growing vocabularies, measured where tensors are allocated. */
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
  /** Most that was allocated at one time, the weight and its gradient left out. */
  beyond: number;
  /** What blocks are longer than what was asked for, so that they can be used again (native/pool.ts). */
  rounding: number;
  /** What the logits [tokens, vocab] alone would take. */
  logits: number;
}

export async function vocabularyPeaks(backend: BackendName): Promise<Peak[]> {
  await useBackend(backend);
  return vocabularies.map((vocab) => {
    const [hidden, weight] = [randomTensor(1, [tokens, width]), randomTensor(2, [vocab, width], 0.02)] as Tensor2D[];
    const [ids, dy] = [randomIds(3, tokens, vocab), randomTensor(4, [tokens])];
    const gradients = () =>
      dispose(tapeGradients(() => tokenLogProbs(hidden, weight, ids).logProbs, [hidden, weight], dy));
    gradients(); // what comes from outside now lies where kernels reach it
    const weightBytes = 4 * vocab * width;
    const peak = peakOf(backend, gradients);
    dispose([hidden, weight, ids, dy]);
    // The weight was there before; its gradient counts as such.
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

/** Most bytes in use at one time during `work`, beyond those in use before it, and how many of them were asked for. */
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
