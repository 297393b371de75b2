/**
 * -min(r, 1 + clipHigh) A logProb with a constant weight, so that every token keeps its gradient (MiniMax-M1, arXiv
 * 2506.13585); no lower bound, as in TRL.
 */
import { type Loss, perToken, type Surrogate } from './loss';

export const surrogate: Surrogate = {
  term: ({ ratio, advantage, logProb }, { clipHigh }) => {
    const slope = -Math.min(ratio, 1 + clipHigh) * advantage;
    return { value: slope * logProb, slope };
  },
  clips: { low: false, high: true },
};

export const losses = {
  cispo: {
    about:
      'Every token keeps its gradient, weighted by its ratio of at most 1 + clipHigh (MiniMax-M1, ' +
      "arXiv 2506.13585); mean over all tokens. clipHigh 4 is TRL's epsilon_high 5.",
    aggregation: 'token',
    importance: 'token',
    divisor: perToken,
    advice: ({ clipHigh, severalSteps }) =>
      severalSteps && clipHigh < 1
        ? {
            setting: 'clipHigh',
            text: `cispo bounds a weight, not a step: at most ${1 + clipHigh} slows down the most informative tokens.`,
            remedy: 'Use 4, which is epsilon_high 5 of TRL.',
            value: 4,
          }
        : undefined,
  },
} as const satisfies Record<string, Loss>;
