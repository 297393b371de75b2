import { add, mul, sigmoid, sub } from '@tensorflow/tfjs-core';
import type { Reference, References } from './kernel';

const swiGlu: Reference = ({ gate, up }) => mul(mul(gate, sigmoid(gate)), up);

/** With s = sigmoid(gate): d silu(gate) / d gate = s * (1 + gate * (1 - s)). */
const swiGluGrad: Reference = ({ dy, gate, up }) => {
  const s = sigmoid(gate);
  const slope = mul(s, add(1, mul(gate, sub(1, s))));
  return [mul(mul(dy, up), slope), mul(dy, mul(gate, s))];
};

export const swiGluReferences: References = { SwiGlu: swiGlu, SwiGluGrad: swiGluGrad };
