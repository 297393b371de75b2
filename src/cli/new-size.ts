/** Chooses batch sizes for a new experiment that fit the memory of this machine. */

import { checkExperiment } from '../config/check';
import { resolveExperiment } from '../config/load';
import { type Lengths, peakOf, settleMemory } from '../curriculum/memory';
import { embeddedMemory } from '../engine/engines';

export interface Size {
  /** Problems per update of Stages 2 and 3, each with a group of answers. */
  prompts: number;
  /** Answers per test batch. */
  testing: number;
}

export const usualSize: Size = { prompts: 16, testing: 64 };
const leastPrompts = 2;

/**
 * The usual batch sizes, halved until the experiment written by `write` takes at most half of `memory` (bytes),
 * as other programs run too. `folder` is the folder of the experiment; its reward files, which may not exist yet, are
 * ignored.
 */
export function fittingSize(write: (size: Size) => string, folder: string, lengths: Lengths, memory?: number): Size {
  const fits = (size: Size): boolean => {
    const file = checkExperiment(write(size)).value;
    if (!file) return true; // the caller reports what is wrong
    const reward = { components: [{ use: 'correctness' as const }] };
    const { complete, rewrite } = file.stages;
    const stages = {
      ...file.stages,
      complete: complete && { ...complete, reward },
      rewrite: rewrite && { ...rewrite, reward },
    };
    const experiment = resolveExperiment({ ...file, stages } as typeof file, folder);
    const model = embeddedMemory(experiment.student.path); // a new experiment uses `auto`
    const sizes = { model, lengths };
    const most = (memory ?? model.limits()!.total) / 2;
    return peakOf(settleMemory(experiment, sizes), sizes).bytes <= most;
  };
  let size = usualSize;
  while (size.prompts > leastPrompts && !fits(size)) size = { prompts: size.prompts / 2, testing: size.testing / 2 };
  return size;
}
