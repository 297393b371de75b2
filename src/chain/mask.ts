import { UserError } from '../errors';
import type { Random } from '../random';
import { maskText } from './prompts';
import type { Chain, Exercise } from './types';

export interface ReconstructionOptions {
  maskProbability?: number;
  /** Number of masked steps: an integer from 1, or below 1 a share of the steps (at least one step). */
  maskSteps?: number;
  /** Probability that the steps are shuffled. Two or more shuffled steps are never in their original order. */
  shuffleProbability?: number;
}

/**
 * The exercise of Stage 1: some steps masked, all of them shuffled. The defaults are those of the BRIDGE release (one
 * whole step with probability 0.7, always shuffled), except for the identity permutation, which would show the solution
 * unchanged.
 */
export function reconstructionExercise(chain: Chain, options: ReconstructionOptions, random: Random): Exercise {
  const { maskProbability = 0.7, maskSteps = 1, shuffleProbability = 1 } = options;
  requireRange('maskProbability', maskProbability, 1);
  requireRange('shuffleProbability', shuffleProbability, 1);
  requireRange('maskSteps', maskSteps, Number.POSITIVE_INFINITY);
  const n = chain.steps.length;
  const wanted = maskSteps >= 1 ? Math.floor(maskSteps) : shareOf(n, maskSteps);
  const masked = random.uniform() < maskProbability ? choose(n, Math.min(wanted, n), random) : [];
  const order = random.uniform() < shuffleProbability ? randomReordering(n, random) : indices(n);
  return maskedExercise(chain, order, masked);
}

/** How much of a chain Stage 2 masks: a share of its steps, or the rule of the BRIDGE release. */
export type MaskRatio = number | { preset: 'bridge' };

/**
 * The exercise of Stage 2: steps masked at random positions, in order. A ratio below 1 masks at least one step (unless
 * it is 0) and leaves at least one; from 1 on it is the plain question. The preset masks max(3, floor(n / 2)) steps, at
 * most n - 1: 2:1, 3:2, 4-7:3, 8-9:4, 10:5, and leaves chains of one step whole.
 */
export function completionExercise(chain: Chain, ratio: MaskRatio, random: Random): Exercise {
  const n = chain.steps.length;
  if (typeof ratio === 'number') {
    requireRange('the mask ratio', ratio, Number.POSITIVE_INFINITY);
    if (ratio >= 1) return { shownSteps: [], order: [], masked: indices(n) };
  }
  const wanted = typeof ratio === 'number' ? shareOf(n, ratio) : Math.max(3, Math.floor(n / 2));
  const masked = choose(n, Math.max(0, Math.min(wanted, n - 1)), random);
  return maskedExercise(chain, indices(n), masked);
}

/** The ratio at `progress` (0..1) of a stage: each value of the schedule holds for an equal part of it. */
export function maskRatioAt(schedule: readonly number[], progress: number): number {
  if (schedule.length === 0) {
    throw new UserError('The mask schedule is empty.', {
      remedy: 'Give at least one ratio, such as [0.3, 0.5, 0.75, 1].',
    });
  }
  const part = Math.floor(Math.min(Math.max(progress, 0), 1) * schedule.length);
  const ratio = schedule[Math.min(part, schedule.length - 1)];
  requireRange('a mask ratio of the schedule', ratio, 1);
  return ratio;
}

function maskedExercise({ steps }: Chain, order: number[], masked: number[]): Exercise {
  return { shownSteps: order.map((index) => (masked.includes(index) ? maskText : steps[index])), order, masked };
}

/** The number of steps for a share of n: at least one, unless it is 0. */
function shareOf(n: number, share: number): number {
  return share > 0 ? Math.max(1, Math.round(share * n)) : 0;
}

/** `count` distinct indices below n in ascending order, uniformly distributed. */
function choose(n: number, count: number, random: Random): number[] {
  return random
    .shuffled(indices(n))
    .slice(0, count)
    .sort((a, b) => a - b);
}

/** A random permutation of the indices below n except the identity, uniformly distributed. */
function randomReordering(n: number, random: Random): number[] {
  if (n < 2) return indices(n);
  for (;;) {
    const order = random.shuffled(indices(n));
    if (order.some((index, i) => index !== i)) return order;
  }
}

function indices(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

function requireRange(name: string, value: number, most: number): void {
  if (value >= 0 && value <= most) return;
  throw new UserError(`${name} is ${value}, which is not in the range 0 to ${most}.`, { code: 'config' });
}
