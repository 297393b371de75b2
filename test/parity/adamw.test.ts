import { dispose, type Tensor, tensor, tidy, zeros } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../src/kernels/backends';
import { adamW, sumSquares } from '../../src/kernels/interface';
import { backends, expectClose, readFixture } from './fixtures';

interface Case {
  options: { lr: number; betas: [number, number]; eps: number; weight_decay: number };
  maxNorm: number;
  shapes: number[][];
  start: number[][];
  steps: { gradients: number[][]; norm: number; parameters: number[][]; moment1: number[][]; moment2: number[][] }[];
}

describe.each(backends)('on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(readFixture<Case[]>('adamw.json'))(
    'AdamW with clipping steps as torch does: $options',
    ({ options, maxNorm, shapes, start, steps }) => {
      let states = shapes.map((shape, i) => ({
        parameter: tensor(start[i], shape) as Tensor,
        moment1: zeros(shape),
        moment2: zeros(shape),
      }));
      steps.forEach((expected, i) => {
        const gradients = expected.gradients.map((values, k) => tensor(values, shapes[k]));
        const norm = Math.sqrt(tidy(() => sumSquares(gradients).dataSync()[0]));
        expect(norm / expected.norm).toBeCloseTo(1, 5);
        const gradScale = Math.min(1, maxNorm / (norm + 1e-6)); // torch.nn.utils.clip_grad_norm_
        states = states.map((state, k) => {
          const [next] = adamW([{ ...state, gradient: gradients[k] }], {
            learningRate: options.lr,
            beta1: options.betas[0],
            beta2: options.betas[1],
            eps: options.eps,
            weightDecay: options.weight_decay,
            step: i + 1,
            gradScale,
          });
          dispose([state.parameter, state.moment1, state.moment2]);
          return next;
        });
        states.forEach((state, k) => {
          for (const name of ['parameter', 'moment1', 'moment2'] as const) {
            const values = name === 'parameter' ? expected.parameters[k] : expected[name][k];
            expectClose(state[name].dataSync(), values, `${name} ${k} after step ${i + 1}`);
          }
        });
        dispose(gradients);
      });
      for (const state of states) dispose([state.parameter, state.moment1, state.moment2]);
    },
  );
});
