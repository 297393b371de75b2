import { add, matMul, mul, type Tensor } from '@tensorflow/tfjs-core';
import { type Adaptation, seededDropout } from '../interface';
import type { Reference, References } from './kernel';

/** -> [y [n, out], h [n, rank] = scale * dropout(x) aᵀ] */
const adaptedLinear: Reference<Adaptation> = ({ x, weight, a, b }, { scale, dropout, seed }) => {
  const h = mul(matMul(seededDropout(x, dropout, seed), a, false, true), scale);
  return [add(matMul(x, weight, false, true), matMul(h, b, false, true)), h];
};

/** -> [dx, da, db] */
const adaptedLinearGrad: Reference<Adaptation> = ({ dy, x, weight, a, b, h }, { scale, dropout, seed }) => {
  const dh: Tensor = mul(matMul(dy, b), scale);
  const throughAdapter = seededDropout(matMul(dh, a), dropout, seed);
  return [
    add(matMul(dy, weight), throughAdapter),
    matMul(dh, seededDropout(x, dropout, seed), true, false),
    matMul(dy, h, true, false),
  ];
};

export const adaptedLinearReferences: References = {
  AdaptedLinear: adaptedLinear,
  AdaptedLinearGrad: adaptedLinearGrad,
};
