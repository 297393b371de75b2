import { splitChain } from '../chain/split';
import type { ComponentOptions } from '../config/components';
import { deviation, mean } from '../statistics';
import { groupOf, isRight, lengthOf, type RewardInput } from './input';

/**
 * Compares with the teacher's length in student tokens: with r = length / teacher's length, under * (1 - r) up to r =
 * 1, then -over * (r - 1), at least `floor`; plus a bonus for each saved step. Step labels are free, so saved steps
 * count only up to the token savings: with n0 teacher steps, at most n0 * (1 - r). null without a teacher.
 */
export function brevity(input: RewardInput, options: ComponentOptions<'brevity'>): number | null {
  const { teacher, teacherTokens } = input.problem;
  if (!teacherTokens) return null;
  const saved = 1 - lengthOf(input) / teacherTokens;
  const value = Math.max(options.floor, saved * (saved >= 0 ? options.under : options.over));
  if (!teacher || options.stepBonus === 0) return value;
  const fewer = teacher.steps.length - splitChain(input.completion.text).steps.length;
  const counted = Math.min(fewer, saved * teacher.steps.length, options.maxSteps);
  return value + options.stepBonus * Math.max(0, counted);
}

/**
 * DAPO's soft overlong punishment (arXiv 2503.14476, eq. 13): 0 up to the buffer, then down to -1 at the limit and
 * beyond.
 */
export function softOverlong(input: RewardInput, { maxTokens, buffer }: ComponentOptions<'softOverlong'>): number {
  const excess = lengthOf(input) - (maxTokens - buffer);
  if (excess <= 0) return 0;
  return buffer === 0 ? -1 : Math.max(-1, -excess / buffer);
}

/**
 * Cosine-scaled reward (arXiv 2502.03373). Lengths are clamped to the limit, after which the cosine would rise again.
 */
export function cosine(input: RewardInput, options: ComponentOptions<'cosine'>): number {
  const [short, long] = isRight(input)
    ? [options.rightShort, options.rightLong]
    : [options.wrongShort, options.wrongLong];
  const progress = Math.min(lengthOf(input), options.maxTokens) / options.maxTokens;
  return long + ((short - long) / 2) * (1 + Math.cos(Math.PI * progress));
}

/** Kimi k1.5's length reward (arXiv 2501.12599, 2.3.3): relative to the shortest and longest of the group. */
export function kimi(input: RewardInput): number {
  const lengths = groupOf(input).map(lengthOf);
  const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
  if (shortest === longest) return 0;
  const value = 0.5 - (lengthOf(input) - shortest) / (longest - shortest);
  return isRight(input) ? value : Math.min(0, value);
}

/** L1 (arXiv 2503.04697), exact and max. null when the target is the teacher's length and there is no teacher. */
export function l1(input: RewardInput, { mode, target, alpha }: ComponentOptions<'l1'>): number | null {
  const wanted = target === 'teacher' ? input.problem.teacherTokens : target;
  if (!wanted) return null;
  const right = isRight(input) ? 1 : 0;
  const spare = wanted - lengthOf(input);
  if (mode === 'exact') return right - alpha * Math.abs(spare);
  return right * Math.min(1, Math.max(0, alpha * spare + 0.5));
}

/**
 * Length part of GRPO-LEAD (arXiv 2504.09696): z-score over the right answers of the group, standard deviation with n -
 * 1.
 */
export function lead(input: RewardInput, { decay, wrong }: ComponentOptions<'lead'>): number {
  if (!isRight(input)) return wrong;
  const lengths = groupOf(input)
    .filter((member) => isRight(member))
    .map(lengthOf);
  return Math.exp((-decay * (lengthOf(input) - mean(lengths))) / (deviation(lengths) + 1e-6));
}
