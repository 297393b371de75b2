import { dispose } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AdamWOptions, type AdamWState, adamW } from './interface';
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

const tensorsOf = ({ parameter, moment1, moment2 }: AdamWState) => [parameter, moment1, moment2];

describe.each(backendNames)('adamW on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  it.each([
    { shape: [1], count: 1, weightDecay: 0, gradScale: 1 },
    { shape: [5, 33], count: 3, weightDecay: 0.1, gradScale: 1 },
    { shape: [130], count: 2, weightDecay: 0.01, gradScale: 0.25 },
    { shape: [64, 32], count: 1, weightDecay: 0, gradScale: 1 },
  ])('takes five steps as torch.optim.AdamW does: %j', ({ shape, count, weightDecay, gradScale }) => {
    const random = (seed: number, size?: number) => randomTensor(seed, shape as [number], size);
    let states = Array.from(
      { length: count },
      (_, i): AdamWState => ({ parameter: random(50 + i), moment1: random(1, 0), moment2: random(1, 0) }),
    );
    const kept = states[0].parameter.clone();
    const begin = kept.dataSync().slice();
    const plain = states.map(({ parameter }) => {
      const p = Float64Array.from(parameter.dataSync());
      return { p, m: new Float64Array(p.length), v: new Float64Array(p.length) };
    });
    for (let step = 1; step <= 5; step++) {
      const gradients = states.map((_, i) => random(60 + 5 * i + step, 10 ** (step - 3)));
      const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay, step, gradScale };
      const next = adamW(
        states.map((state, i) => ({ ...state, gradient: gradients[i] })),
        options,
      );
      for (const [i, { p, m, v }] of plain.entries()) {
        plainAdamW(p, gradients[i].dataSync(), m, v, options);
        expectClose(next[i].parameter, p, 1e-5, { what: `parameter ${i} after step ${step}` });
        expectClose(next[i].moment1, m, 1e-5, { what: `first moment ${i} after step ${step}` });
        expectClose(next[i].moment2, v, 1e-5, { what: `second moment ${i} after step ${step}` });
      }
      dispose([...gradients, ...states.flatMap(tensorsOf)]);
      states = next;
    }
    expect(kept.dataSync(), 'a clone that is held').toEqual(begin);
    dispose([kept, ...states.flatMap(tensorsOf)]);
  });

  it('leaves a parameter without gradient to weight decay alone', () => {
    const [parameter, zero, m, v] = [randomTensor(60, [7]), ...[1, 2, 3].map(() => randomTensor(1, [7], 0))];
    const before = parameter.dataSync().slice();
    const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.5, step: 1, gradScale: 1 };
    const [next] = adamW([{ parameter, gradient: zero, moment1: m, moment2: v }], options);
    expectClose(
      next.parameter,
      before.map((value) => value * 0.95),
      1e-6,
    );
    dispose([parameter, zero, m, v, ...tensorsOf(next)]);
  });
});
