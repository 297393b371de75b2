import * as z from 'zod';
import { choice, number, whole } from '../fields';
import { component } from './component';
import { isRight, lengthOf } from './input';

/** L1 (arXiv 2503.04697), exact and max. null when the target is the teacher's length and there is no teacher. */
export const l1 = component({
  name: 'l1',
  description: 'Distance of the length from a target (L1, arXiv 2503.04697).',
  options: () => ({
    mode: choice('One of the two rewards of the paper.', {
      exact: '1 if right, minus alpha for each token off the target.',
      max: 'If right: alpha * (target - length) + 0.5, clipped to [0, 1]; wrong: 0.',
    }).default('exact'),
    target: whole('Target length in tokens.', { min: 1 })
      .or(z.enum(['teacher'], { error: '"teacher"' }))
      .describe('Target length in tokens, or "teacher" for the length of the teacher\'s chain.')
      .default('teacher'),
    alpha: number('Value of one token.', { min: 0 }).default(0.0003),
  }),
  traits: { judgesAnswer: true },
  score(input, { mode, target, alpha }) {
    const wanted = target === 'teacher' ? input.problem.teacherTokens : target;
    if (!wanted) return null;
    const right = isRight(input) ? 1 : 0;
    const spare = wanted - lengthOf(input);
    if (mode === 'exact') return right - alpha * Math.abs(spare);
    return right * Math.min(1, Math.max(0, alpha * spare + 0.5));
  },
});
