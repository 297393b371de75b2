import { UserError } from '../errors';
import type { Random } from '../random';
import { maskText } from './prompts';
import type { Chain, Exercise } from './types';

/** What is taken out of a masked step: all of it, or its numbers. */
export type MaskTarget = 'step' | 'numbers';

export interface ReconstructionOptions {
  /** Chance that any step is masked at all. */
  maskProbability?: number;
  /** How many steps are masked then: a count from 1 on, or below 1 a share of the steps (at least one). */
  maskSteps?: number;
  /** Chance that the steps are shuffled. Shuffled steps are never in their own order when there are two or more. */
  shuffleProbability?: number;
  maskTarget?: MaskTarget;
}

/**
 * Stage 1's exercise: some steps masked, all of them shuffled. The defaults are the BRIDGE release's (one whole step
 * with probability 0.7, always shuffled), but for the identity permutation, which would show the solution as it is.
 */
export function reconstructionExercise(chain: Chain, options: ReconstructionOptions, random: Random): Exercise {
  const { maskProbability = 0.7, maskSteps = 1, shuffleProbability = 1, maskTarget = 'step' } = options;
  requireRange('maskProbability', maskProbability, 1);
  requireRange('shuffleProbability', shuffleProbability, 1);
  requireRange('maskSteps', maskSteps, Number.POSITIVE_INFINITY);
  const n = chain.steps.length;
  const wanted = maskSteps >= 1 ? Math.floor(maskSteps) : shareOf(n, maskSteps);
  const masked = random.uniform() < maskProbability ? choose(n, Math.min(wanted, n), random) : [];
  const order = random.uniform() < shuffleProbability ? derange(n, random) : indices(n);
  return show(chain, order, masked, maskTarget);
}

/** How much of a chain Stage 2 masks: a share of its steps, or the BRIDGE release's rule. */
export type MaskRatio = number | { preset: 'bridge' };

/**
 * Stage 2's exercise: steps masked at random places, order kept. A ratio below 1 masks at least one step (unless it is
 * 0) and leaves at least one; from 1 on nothing is shown, which is the plain question. The preset masks
 * max(3, floor(n / 2)) steps, at most n - 1: 2:1, 3:2, 4-7:3, 8-9:4, 10:5, and leaves chains of one step whole.
 */
export function completionExercise(
  chain: Chain,
  ratio: MaskRatio,
  random: Random,
  options: { maskTarget?: MaskTarget } = {},
): Exercise {
  const n = chain.steps.length;
  if (typeof ratio === 'number') {
    requireRange('the mask ratio', ratio, Number.POSITIVE_INFINITY);
    if (ratio >= 1) return { shownSteps: [], order: [], masked: indices(n) };
  }
  const wanted = typeof ratio === 'number' ? shareOf(n, ratio) : Math.max(3, Math.floor(n / 2));
  const masked = choose(n, Math.max(0, Math.min(wanted, n - 1)), random);
  return show(chain, indices(n), masked, options.maskTarget ?? 'step');
}

/**
 * The ratio in force at `progress` (0..1) of a stage: the schedule's values hold for equal parts of it, one after the
 * other.
 */
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

function show(chain: Chain, order: number[], masked: number[], target: MaskTarget): Exercise {
  const hidden = new Set(masked);
  const shownSteps = order.map((index) => {
    const step = chain.steps[index];
    if (!hidden.has(index)) return step;
    return target === 'step' ? maskText : maskNumbers(step);
  });
  return { shownSteps, order, masked };
}

/** The text with every number masked; a number that is part of a name (N2, T_1) stays. */
export function maskNumbers(text: string): string {
  return text.replace(/(?<![\p{L}\p{N}_])(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)/gu, maskText);
}

/** How many of n steps a share of them is: at least one, unless it is 0. */
function shareOf(n: number, share: number): number {
  return share > 0 ? Math.max(1, Math.round(share * n)) : 0;
}

/** `count` of the indices below n, ascending, each set equally likely. */
function choose(n: number, count: number, random: Random): number[] {
  return random
    .shuffled(indices(n))
    .slice(0, count)
    .sort((a, b) => a - b);
}

/** A random order of the indices below n other than their own, each equally likely. */
function derange(n: number, random: Random): number[] {
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
