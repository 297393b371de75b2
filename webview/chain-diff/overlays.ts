/** The measurements at each token, and how strongly they are shown. */
import type { ChainView } from '../../src/protocol/chain-diff';
import { minus } from '../../src/words';

export const overlays = ['diff', 'logProb', 'refLogProb', 'entropy', 'kl', 'advantage', 'reward'] as const;
export type Overlay = (typeof overlays)[number];

interface OverlayText {
  label: string;
  about: string;
  /** Thresholds of the levels 1, 2, 3 and 4. */
  steps?: readonly [number, number, number, number];
  legend?: string;
}

export const overlayTexts: Record<Overlay, OverlayText> = {
  diff: { label: 'Diff', about: 'What differs from the teacher’s chain, token by token.' },
  logProb: {
    label: 'Log-prob',
    about: 'How surprising the token was to the student when it sampled it: −log p, in nats.',
    steps: [0.1, 0.7, 1.6, 3],
    legend: 'p below 90 %, 50 %, 20 %, 5 %',
  },
  refLogProb: {
    label: 'Reference',
    about:
      'How surprising the token is to the reference policy (the student at the start of the stage): −log p, in nats.',
    steps: [0.1, 0.7, 1.6, 3],
    legend: 'p below 90 %, 50 %, 20 %, 5 %',
  },
  entropy: {
    label: 'Entropy',
    about: 'How uncertain the student was at this token: entropy of its distribution, in nats.',
    steps: [0.1, 0.5, 1, 2],
    legend: 'above 0.1, 0.5, 1, 2 nats',
  },
  kl: {
    label: 'KL',
    about:
      'How far the student is from the reference at this token: exp(x) − x − 1 with x = reference − log-prob (k3).',
    steps: [0.01, 0.1, 0.5, 2],
    legend: 'above 0.01, 0.1, 0.5, 2',
  },
  advantage: {
    label: 'Advantage',
    about:
      'The effect of the update on the completion: raises the probability of ' +
      'its tokens (+) or lowers it (−). One value for all tokens.',
    steps: [0.01, 0.5, 1, 2],
    legend: 'size above 0, 0.5, 1, 2',
  },
  reward: {
    label: 'Reward',
    about:
      'The parts that the reward looks at: equations and the answer, true (✓) or ' +
      'false (✗), and tokens beyond the teacher’s length.',
  },
};

/** k3 of Schulman (2020), http://joschu.net/blog/kl-approx.html */
export function tokenKl(logProb: number, refLogProb: number): number {
  const x = refLogProb - logProb;
  return Math.exp(x) - x - 1;
}

/** null: not recorded. */
export function tokenValue(chain: ChainView, overlay: Overlay, token: number): number | null {
  const logProb = chain.logProbs?.[token] ?? null;
  const refLogProb = chain.refLogProbs?.[token] ?? null;
  if (overlay === 'logProb') return logProb === null ? null : -logProb;
  if (overlay === 'refLogProb') return refLogProb === null ? null : -refLogProb;
  if (overlay === 'entropy') return chain.entropy?.[token] ?? null;
  if (overlay === 'kl') return logProb === null || refLogProb === null ? null : tokenKl(logProb, refLogProb);
  if (overlay === 'advantage') return chain.reward?.advantage ?? null;
  return null;
}

/** 0 (invisible) to 4, by the size of the value. */
export function levelOf(overlay: Overlay, value: number | null): number {
  const { steps } = overlayTexts[overlay];
  return value === null || !steps ? 0 : steps.filter((step) => Math.abs(value) >= step).length;
}

/** Why a chain has no values for an overlay; null if it has some. */
export function missingFor(chain: ChainView, overlay: Overlay): string | null {
  if (overlay === 'diff' || overlay === 'reward') return null;
  if (chain.ids.some((_, token) => tokenValue(chain, overlay, token) !== null)) return null;
  return chain.absent[sourceOf(chain, overlay)] ?? 'not recorded';
}

function sourceOf(chain: ChainView, overlay: Exclude<Overlay, 'diff' | 'reward'>): keyof ChainView['absent'] {
  if (overlay === 'kl') return chain.logProbs ? 'refLogProbs' : 'logProbs';
  return ({ logProb: 'logProbs', refLogProb: 'refLogProbs', entropy: 'entropy', advantage: 'reward' } as const)[
    overlay
  ];
}

/** A number for people: three significant digits, a real minus sign. */
export function format(value: number, digits = 3): string {
  const size = Math.abs(value);
  if (size > 0 && size < 1e-4) return minus(value.toExponential(1));
  return minus(size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(digits))));
}

/** A reward or similar with its sign, unless it rounds to 0. */
export function signedValue(value: number, digits = 2): string {
  const size = Math.abs(value).toFixed(digits);
  return Number(size) === 0 ? size : `${value < 0 ? '−' : '+'}${size}`;
}
