/**
 * -4 A sigmoid(t (r - 1)) / t with t by the sign of A: its slope decreases as the ratio departs from 1 (arXiv
 * 2511.20347).
 */
import { type Loss, perSequence, type Surrogate } from './loss';

export const surrogate: Surrogate = {
  term: ({ ratio, advantage }, { sapoPositive, sapoNegative }) => {
    const temperature = advantage > 0 ? sapoPositive : sapoNegative;
    const gate = 1 / (1 + Math.exp(-temperature * (ratio - 1)));
    return { value: (-4 * gate * advantage) / temperature, slope: -4 * gate * (1 - gate) * ratio * advantage };
  },
  clips: { low: false, high: false },
};

export const losses = {
  sapo: {
    about:
      'A soft gate instead of clipping (arXiv 2511.20347); mean over ' +
      "each completion's tokens, then over completions.",
    aggregation: 'sequence',
    importance: 'token',
    divisor: perSequence,
  },
} as const satisfies Record<string, Loss>;
