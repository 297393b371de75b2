/** How much a new experiment does at a time, so that the machine that it is made on holds it. */

import { checkExperiment } from '../config/check';
import { resolveExperiment } from '../config/load';
import { type Lengths, peakOf, settleMemory } from '../curriculum/memory';
import { embeddedMemory } from '../engine/engines';

export interface Size {
  /** Problems that an update of Stage 2 and 3 samples a group of answers to. */
  prompts: number;
  /** Answers that are tested side by side. */
  testing: number;
}

export const usualSize: Size = { prompts: 16, testing: 64 };
const leastPrompts = 2;

/**
 * The usual size, halved until the experiment that `write` gives for it takes no more than half of `memory` (bytes):
 * other programs run, too. `folder` is where it will lie; its rewards, which may not be there yet, do not count.
 */
export function fittingSize(write: (size: Size) => string, folder: string, lengths: Lengths, memory?: number): Size {
  const fits = (size: Size): boolean => {
    const file = checkExperiment(write(size)).value;
    if (!file) return true; // whoever writes it says what is wrong
    const reward = { components: [{ use: 'correctness' as const }] };
    const { complete, rewrite } = file.stages;
    const stages = {
      ...file.stages,
      complete: complete && { ...complete, reward },
      rewrite: rewrite && { ...rewrite, reward },
    };
    const experiment = resolveExperiment({ ...file, stages } as typeof file, folder);
    const model = embeddedMemory(experiment.student.path); // a new experiment says `auto`
    const sizes = { model, lengths };
    const most = (memory ?? model.limits()!.total) / 2;
    return peakOf(settleMemory(experiment, sizes), sizes).bytes <= most;
  };
  let size = usualSize;
  while (size.prompts > leastPrompts && !fits(size)) size = { prompts: size.prompts / 2, testing: size.testing / 2 };
  return size;
}
