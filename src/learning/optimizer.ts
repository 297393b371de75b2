import { add, dispose, keep, type Scalar, type Tensor, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { defaultAdam } from '../config/adam';
import { Diverged, type OptimizerSettings, type ProductPrecision } from '../engine-data/training';
import { adamW, sumSquares } from '../kernels/interface';
import { withProducts } from '../kernels/precision';
import { gradientsOf } from '../kernels/tape';
import { type Model, trainableParameters } from '../model/transformer';

/** AdamW's moments for each trainable parameter (by its name in the model's files) and the number of updates made. */
export interface Optimizer {
  step: number;
  moments: Map<string, { first: Tensor; second: Tensor }>;
}

export function createOptimizer(model: Model): Optimizer {
  const moments = new Map<string, { first: Tensor; second: Tensor }>();
  for (const [name, parameter] of trainableParameters(model))
    moments.set(name, { first: keep(zerosLike(parameter)), second: keep(zerosLike(parameter)) });
  return { step: 0, moments };
}

export function disposeOptimizer(optimizer: Optimizer): void {
  for (const { first, second } of optimizer.moments.values()) dispose([first, second]);
}

/** Gradients of all trainable parameters, summed over micro-batches. */
export type Gradients = Map<string, Tensor>;

/** Runs work on gradients, which are disposed if it fails. */
export async function withGradients<T>(work: (gradients: Gradients) => Promise<T>): Promise<T> {
  const gradients: Gradients = new Map();
  try {
    return await work(gradients);
  } catch (error) {
    dispose([...gradients.values()]);
    throw error;
  }
}

/** Computes a scalar loss and adds its gradients to `sum`. Returns the loss. */
export function accumulate(model: Model, sum: Gradients, loss: () => Scalar, precision?: ProductPrecision): number {
  const trained = trainableParameters(model);
  const { value, grads } = withProducts(precision, () => tidy(() => gradientsOf(loss, [...trained.values()])));
  [...trained.keys()].forEach((name, i) => {
    const before = sum.get(name);
    sum.set(name, keep(before ? add(before, grads[i]) : grads[i]));
    if (before) dispose([before, grads[i]]);
  });
  const number = value.dataSync()[0];
  value.dispose();
  return number;
}

/**
 * One AdamW update with the gradients, which are disposed. Matrices decay, norms and biases do not (as in Hugging
 * Face's Trainer). Returns the global gradient norm before clipping. @throws Diverged, changing nothing, when the norm
 * is not finite
 */
export function applyGradients(
  model: Model,
  optimizer: Optimizer,
  gradients: Gradients,
  learningRate: number,
  settings: OptimizerSettings,
): number {
  const squares = sumSquares([...gradients.values()]);
  const norm = Math.sqrt(squares.dataSync()[0]);
  squares.dispose();
  if (!Number.isFinite(norm)) {
    dispose([...gradients.values()]);
    throw new Diverged('the gradient norm');
  }
  const gradScale = settings.maxGradNorm > 0 ? Math.min(1, settings.maxGradNorm / (norm + 1e-6)) : 1;
  optimizer.step++;
  const { beta1, beta2, epsilon: eps } = settings.adam ?? defaultAdam;
  const trained = trainableParameters(model);
  for (const weights of alike(gradients)) {
    const states = weights.map(([name, gradient]) => {
      const { first, second } = optimizer.moments.get(name)!;
      return { parameter: trained.get(name)!, gradient, moment1: first, moment2: second };
    });
    const next = tidy(() =>
      adamW(states, {
        learningRate,
        beta1,
        beta2,
        eps,
        weightDecay: weights[0][1].rank > 1 ? settings.weightDecay : 0,
        step: optimizer.step,
        gradScale,
      }).map(({ parameter, moment1, moment2 }) => [parameter, moment1, moment2].map(keep)),
    );
    for (const [i, [name]] of weights.entries()) {
      const { parameter, gradient, moment1, moment2 } = states[i];
      dispose([parameter, gradient, moment1, moment2]);
      const [after, first, second] = next[i];
      trained.set(name, after);
      optimizer.moments.set(name, { first, second });
    }
  }
  return norm;
}

/** Maximum elements of weights updated together: their old and new values exist at the same time. */
const mostTogether = 1 << 20;

/** The gradients grouped by shape. */
function alike(gradients: Gradients): [string, Tensor][][] {
  const parts: [string, Tensor][][] = [];
  const open = new Map<string, [string, Tensor][]>();
  for (const entry of gradients) {
    const [, { shape, size }] = entry;
    const part = open.get(`${shape}`);
    if (part && (part.length + 1) * size <= mostTogether) part.push(entry);
    else {
      const fresh = [entry];
      parts.push(fresh);
      open.set(`${shape}`, fresh);
    }
  }
  return parts;
}
