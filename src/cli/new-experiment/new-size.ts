/** Chooses sizes for a new experiment: batches that fit the memory of this machine, and a quick run of minutes. */

import { checkExperiment } from '../../config/check';
import type { Experiment } from '../../config/experiment';
import { resolveExperiment } from '../../config/load';
import { secondsFor, type Workload } from '../../curriculum/duration';
import { peakOf, type Sizes, settleMemory } from '../../curriculum/training/memory';
import { loadStudentConfig } from '../../student-files/folder';

export interface Size {
  /** Problems per update of Stages 2 and 3, each with a group of answers. */
  prompts: number;
  /** Answers per test batch. */
  testing: number;
  quick: QuickSize;
}

/** The budget of a quick run. */
export interface QuickSize {
  /** Test and validation problems. */
  tests: number;
  validation: number;
  /** Updates of each supervised stage, and the chains in each. */
  supervised: number;
  batch: number;
  /** Updates of Stages 2 and 3, and the problems in each. */
  complete: number;
  rewrite: number;
  prompts: number;
  /** Problems among which Stage 3 looks for failures. */
  failures: number;
}

/** From the largest to the smallest sensible one. */
const quickSizes: readonly QuickSize[] = [
  { tests: 50, validation: 20, supervised: 10, batch: 32, complete: 5, rewrite: 3, prompts: 4, failures: 50 },
  { tests: 32, validation: 16, supervised: 10, batch: 16, complete: 4, rewrite: 2, prompts: 4, failures: 24 },
  { tests: 24, validation: 12, supervised: 10, batch: 8, complete: 3, rewrite: 2, prompts: 2, failures: 12 },
  { tests: 16, validation: 8, supervised: 8, batch: 4, complete: 2, rewrite: 1, prompts: 2, failures: 8 },
  { tests: 8, validation: 4, supervised: 4, batch: 4, complete: 1, rewrite: 1, prompts: 2, failures: 4 },
];

/** The estimated seconds that a quick run may take, unless its budget is the smallest one. */
export const quickLimit = 15 * 60;

export const usualSize: Size = { prompts: 16, testing: 64, quick: quickSizes[0] };
const leastPrompts = 2;

/**
 * The usual batch sizes, halved until the experiment written by `write` takes at most half of `memory` (bytes),
 * as other programs run too. `folder` is the folder of the experiment.
 */
export function fittingSize(
  write: (size: Size) => string,
  folder: string,
  sizes: Sizes,
  memory = sizes.model.limits()?.total ?? Number.POSITIVE_INFINITY,
): Size {
  const fits = (size: Size): boolean => {
    const experiment = resolved(write(size), folder);
    if (!experiment) return true; // the caller reports what is wrong
    return peakOf(settleMemory(experiment, sizes), sizes).bytes <= memory / 2;
  };
  let size = usualSize;
  while (size.prompts > leastPrompts && !fits(size))
    size = { prompts: size.prompts / 2, testing: size.testing / 2, quick: size.quick };
  return size;
}

/**
 * The largest quick budget that is estimated to take at most `quickLimit` at `speed` (operations per second), or the
 * smallest one.
 */
export function fittingQuick(
  write: (quick: QuickSize) => string,
  folder: string,
  { work, speed }: { work: Workload; speed: number },
): QuickSize {
  const fits = (quick: QuickSize): boolean => {
    const experiment = resolved(write(quick), folder, { quick: true });
    return !experiment || quickSeconds(experiment, work, speed) <= quickLimit;
  };
  return quickSizes.find(fits) ?? quickSizes[quickSizes.length - 1];
}

/** Estimated seconds of a quick run: of `work.test` problems it tests fewer. */
export function quickSeconds(quick: Experiment, work: Workload, speed: number): number {
  const test = Math.min(work.test, quick.data.test.count ?? work.test);
  return secondsFor(quick, loadStudentConfig(quick.student.path), { ...work, test }, speed);
}

/** The experiment without its reward files, which may not exist yet. Null if it has faults. */
function resolved(text: string, folder: string, options: { quick?: boolean } = {}): Experiment | null {
  const file = checkExperiment(text, options).value;
  if (!file) return null;
  const reward = { components: [{ use: 'correctness' as const }] };
  const { complete, rewrite } = file.stages;
  const stages = {
    ...file.stages,
    complete: complete && { ...complete, reward },
    rewrite: rewrite && { ...rewrite, reward },
  };
  return resolveExperiment({ ...file, stages } as typeof file, folder);
}
