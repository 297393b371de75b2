/** KL estimators of Schulman (2020), "Approximating KL divergence". */
import type { Term } from './loss';

interface Estimator {
  about: string;
  /** Functions of x = refLogProb - logProb; the slope is the derivative with respect to logProb. */
  term(x: number): Term;
}

export const estimators = {
  k1: {
    about: '-x: unbiased, high variance; its gradient averages to 0.',
    term: (x) => ({ value: -x, slope: 1 }),
  },
  k2: {
    about: 'x^2/2: low variance; its gradient is that of the reverse KL.',
    term: (x) => ({ value: (x * x) / 2, slope: -x }),
  },
  k3: {
    about: 'exp(x) - x - 1: never negative; what GRPO and TRL use.',
    term: (x) => ({ value: Math.expm1(x) - x, slope: -Math.expm1(x) }),
  },
  'k3+': {
    about: 'Value of k3 with the gradient of k2.',
    term: (x) => ({ value: Math.expm1(x) - x, slope: -x }),
  },
} as const satisfies Record<string, Estimator>;

export type KlEstimator = keyof typeof estimators;
