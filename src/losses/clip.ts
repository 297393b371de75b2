/**
 * -min(r A, clip(r, 1 - clipLow, 1 + clipHigh) A): PPO (arXiv 1707.06347), and its divisors in GRPO and its variants.
 */
import { type Loss, perSequence, perToken, type Surrogate } from './loss';

export const surrogate: Surrogate = {
  term: ({ ratio, advantage }, { clipLow, clipHigh }) => {
    const free = ratio * advantage;
    const clipped = Math.min(Math.max(ratio, 1 - clipLow), 1 + clipHigh) * advantage;
    return { value: -Math.min(free, clipped), slope: free <= clipped ? -free : 0 };
  },
  clips: { low: true, high: true },
};

export const losses = {
  grpo: {
    about: "Mean over each completion's tokens, then over completions (DeepSeekMath, arXiv 2402.03300).",
    aggregation: 'sequence',
    importance: 'token',
    divisor: perSequence,
  },
  bnpo: {
    about: 'Mean over the tokens of each micro-batch.',
    aggregation: 'token',
    importance: 'token',
    divisor: ({ microTokens, microBatches }) => Math.max(microTokens, 1) * microBatches,
    byMicroBatch: true,
  },
  dr_grpo: {
    about: 'Sum over tokens, divided by completions x maxNewTokens: no bias by length (arXiv 2503.20783).',
    aggregation: 'token',
    importance: 'token',
    divisor: ({ sequences, maxNewTokens }) => sequences * maxNewTokens,
    advice: ({ scale }) =>
      scale === 'none'
        ? undefined
        : {
            setting: 'scale',
            text: 'dr_grpo is meant without scaling: a standard deviation brings the difficulty bias back.',
            remedy: 'Use "none".',
            value: 'none',
          },
  },
  dapo: {
    about: 'Mean over all tokens of the update (arXiv 2503.14476).',
    aggregation: 'token',
    importance: 'token',
    divisor: perToken,
  },
  gspo: {
    about: 'One importance ratio per completion (arXiv 2507.18071); needs much smaller clip ranges.',
    aggregation: 'sequence',
    importance: 'sequence',
    divisor: perSequence,
    advice: ({ clipHigh, severalSteps }) =>
      severalSteps && clipHigh > 0.05
        ? {
            setting: 'clipHigh',
            text: 'gspo has one ratio for the whole completion: this range never clips.',
            remedy: 'Its paper uses clipLow 3e-4 and clipHigh 4e-4.',
            value: 4e-4,
          }
        : undefined,
  },
} as const satisfies Record<string, Loss>;
