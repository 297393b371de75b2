import { splitChain } from '../chain/split';
import { number, whole } from '../fields';
import { component } from './component';
import { lengthOf } from './input';

/**
 * Compares with the teacher's length in student tokens: with r = length / teacher's length, under * (1 - r) up to r =
 * 1, then -over * (r - 1), at least `floor`; plus a bonus for each saved step. Step labels are free, so saved steps
 * count only up to the token savings: with n0 teacher steps, at most n0 * (1 - r). null without a teacher.
 */
export const brevity = component({
  name: 'brevity',
  description:
    "Shorter than the teacher's own chain, in student tokens: 0 at its length, continuous. Needs the teacher's chain.",
  options: () => ({
    under: number('Value per share of the length saved: a completion of half the length gets under/2.', {
      min: 0,
    }).default(1),
    over: number('Penalty per share of the length in excess.', { min: 0 }).default(1.6),
    floor: number('Lowest value.', { max: 0 }).default(-1),
    stepBonus: number('Value of each step saved. Counts only as far as tokens are saved too, as labels are free.', {
      min: 0,
    }).default(0.1),
    maxSteps: whole('Maximum number of saved steps that count.').default(3),
  }),
  traits: { gate: ['correctness'], needsGate: true },
  score(input, options) {
    const { teacher, teacherTokens } = input.problem;
    if (!teacherTokens) return null;
    const saved = 1 - lengthOf(input) / teacherTokens;
    const value = Math.max(options.floor, saved * (saved >= 0 ? options.under : options.over));
    if (!teacher || options.stepBonus === 0) return value;
    const fewer = teacher.steps.length - splitChain(input.completion.text).steps.length;
    const counted = Math.min(fewer, saved * teacher.steps.length, options.maxSteps);
    return value + options.stepBonus * Math.max(0, counted);
  },
});
