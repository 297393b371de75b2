import { add, mul, sigmoid, square, sub, type Tensor } from '@tensorflow/tfjs-core';
import type { Activation } from '../../student-files/layer-spec';
import type { GluAttrs } from '../interface';
import type { Reference, References } from './kernel';

/** z = linear g + cubic g³, for an activation g sigmoid(z): 0.5 (1 + tanh(z / 2)) is sigmoid(z). */
export const gluTerms: Record<Activation, { linear: number; cubic: number }> = {
  silu: { linear: 1, cubic: 0 },
  gelu_tanh: { linear: 2 * Math.sqrt(2 / Math.PI), cubic: 2 * Math.sqrt(2 / Math.PI) * 0.044715 },
};

/** g times (linear + cubic g²). */
function inner(gate: Tensor, linear: number, cubic: number): Tensor {
  return cubic === 0 ? gate : mul(gate, add(mul(square(gate), cubic), linear));
}

const glu: Reference<GluAttrs> = ({ gate, up }, { activation }) => {
  const { linear, cubic } = gluTerms[activation];
  return mul(mul(gate, sigmoid(inner(gate, linear, cubic))), up);
};

/** With s = sigmoid(z): d (g s) / dg = s (1 + (1 - s) g dz/dg). */
const gluGrad: Reference<GluAttrs> = ({ dy, gate, up }, { activation }) => {
  const { linear, cubic } = gluTerms[activation];
  const s = sigmoid(inner(gate, linear, cubic));
  const slope = mul(s, add(1, mul(inner(gate, linear, 3 * cubic), sub(1, s))));
  return [mul(mul(dy, up), slope), mul(dy, mul(gate, s))];
};

export const gluReferences: References = { Glu: glu, GluGrad: gluGrad };
