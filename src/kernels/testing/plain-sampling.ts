import type { Sampling } from '../../engine-data/sampling';
import { logSumExp } from './plain';

/**
 * One sampling step, written literally: sorted, cut by each filter in turn, renormalized, sampled by inverse transform.
 */
export interface Draw {
  id: number;
  logProb: number;
  /** The margin of the decision: single precision may decide differently if it is tiny. */
  margin: number;
  kept: number[];
}

export function plainSample(logits: ArrayLike<number>, uniform: number, sampling: Sampling): Draw {
  const { temperature, topK, topP, minP } = sampling;
  const z = Array.from(logits, (logit) => logit / (temperature || 1));
  const lse = logSumExp(z);
  const p = z.map((value) => Math.exp(value - lse));
  const order = [...p.keys()].sort((a, b) => z[b] - z[a] || a - b);
  if (temperature === 0) return { id: order[0], logProb: z[order[0]] - lse, margin: 1, kept: [order[0]] };

  let margin = 1;
  const near = (a: number, b: number) => {
    margin = Math.min(margin, Math.abs(a - b));
  };
  let kept = topK > 0 ? order.slice(0, topK) : order;
  if (topP < 1) {
    const total = kept.reduce((mass, id) => mass + p[id], 0);
    let before = 0;
    const head: number[] = [];
    for (const id of kept) {
      near(before, topP);
      if (head.length > 0 && before >= topP) break;
      head.push(id);
      before += p[id] / total;
    }
    kept = head;
  }
  if (minP > 0) {
    for (const id of order) near(p[id] / p[order[0]], minP);
    kept = kept.filter((id) => p[id] >= minP * p[order[0]]);
  }

  const total = kept.reduce((mass, id) => mass + p[id], 0);
  const inOrder = [...kept].sort((a, b) => a - b);
  let mass = 0;
  for (const id of inOrder) {
    mass += p[id] / total;
    near(mass, uniform);
    if (mass > uniform) return { id, logProb: z[id] - lse, margin, kept: inOrder };
  }
  const id = inOrder[inOrder.length - 1];
  return { id, logProb: z[id] - lse, margin: 0, kept: inOrder };
}
