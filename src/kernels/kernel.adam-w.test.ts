import { dispose, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, it } from 'vitest';
import { type AdamWOptions, adamW } from './interface';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { randomTensor } from './testing/random';

/** torch.optim.AdamW's algorithm as its documentation gives it, in place. */
function plainAdamW(p: Float64Array, g: ArrayLike<number>, m: Float64Array, v: Float64Array, options: AdamWOptions) {
  const { learningRate, beta1, beta2, eps, weightDecay, step, gradScale } = options;
  for (let i = 0; i < p.length; i++) {
    const gradient = g[i] * gradScale;
    p[i] -= learningRate * weightDecay * p[i];
    m[i] = beta1 * m[i] + (1 - beta1) * gradient;
    v[i] = beta2 * v[i] + (1 - beta2) * gradient ** 2;
    const mean = m[i] / (1 - beta1 ** step);
    const variance = v[i] / (1 - beta2 ** step);
    p[i] -= (learningRate * mean) / (Math.sqrt(variance) + eps);
  }
}

describe.each(backendNames)('adamW on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  it.each([
    { shape: [1], weightDecay: 0, gradScale: 1 },
    { shape: [5, 33], weightDecay: 0.1, gradScale: 1 },
    { shape: [130], weightDecay: 0.01, gradScale: 0.25 },
  ])('takes five steps as torch.optim.AdamW does: %j', ({ shape, weightDecay, gradScale }) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    let state: Tensor[] = [
      randomTensor(50, shape as [number]),
      ...[0, 0].map((zero) => randomTensor(1, shape as [number], zero)),
    ];
    const p = Float64Array.from(state[0].dataSync());
    const m = new Float64Array(size);
    const v = new Float64Array(size);
    for (let step = 1; step <= 5; step++) {
      const gradient = randomTensor(50 + step, shape as [number], 10 ** (step - 3));
      const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay, step, gradScale };
      const next = tidy(() => adamW(state[0], gradient, state[1], state[2], options));
      plainAdamW(p, gradient.dataSync(), m, v, options);
      dispose([...state, gradient]);
      state = [next.parameter, next.moment1, next.moment2];
      expectClose(next.parameter, p, 1e-5, { what: `parameter after step ${step}` });
      expectClose(next.moment1, m, 1e-5, { what: `first moment after step ${step}` });
      expectClose(next.moment2, v, 1e-5, { what: `second moment after step ${step}` });
    }
    dispose(state);
  });

  it('leaves a parameter without gradient to weight decay alone', () => {
    const [parameter, zero, m, v] = [randomTensor(60, [7]), ...[1, 2, 3].map(() => randomTensor(1, [7], 0))];
    const before = parameter.dataSync().slice();
    const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.5, step: 1, gradScale: 1 };
    const next = adamW(parameter, zero, m, v, options);
    expectClose(
      next.parameter,
      before.map((value) => value * 0.95),
      1e-6,
    );
    dispose([parameter, zero, m, v, next.parameter, next.moment1, next.moment2]);
  });
});
