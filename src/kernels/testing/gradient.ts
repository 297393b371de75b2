import { engine, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { Random } from '../../random';
import { expectClose } from './close';
import { randomTensor } from './random';

/** A kernel, and the same function in double precision on plain arrays. */
export interface Differentiable {
  kernel: (...inputs: Tensor[]) => Tensor;
  plain: (...inputs: Float64Array[]) => ArrayLike<number>;
}

/** d f / d x[i] by central differences. */
export function derivative(f: (x: Float64Array) => number, x: Float64Array, i: number, step = 1e-5): number {
  const at = x[i];
  x[i] = at + step;
  const above = f(x);
  x[i] = at - step;
  const below = f(x);
  x[i] = at;
  return (above - below) / (2 * step);
}

/** The gradients of sum(f * dy) from tfjs's tape, one per input. */
export function tapeGradients(f: () => Tensor, inputs: Tensor[], dy: Tensor): Tensor[] {
  return tidy(() => engine().gradients(f, inputs, dy).grads);
}

/**
 * Asserts that the tape's gradient of sum(kernel(...inputs) * dy), for a random dy, equals central differences of the
 * double-precision function at `samples` random positions of each input (all positions of small ones).
 */
export function expectGradients(
  { kernel, plain }: Differentiable,
  inputs: Tensor[],
  { tolerance = 1e-4, samples = 24, seed = 99 } = {},
): void {
  tidy(() => {
    const values = inputs.map((input) => Float64Array.from(input.dataSync()));
    const dy = randomTensor(seed, kernel(...inputs).shape as [number]);
    const weights = dy.dataSync();
    const grads = tapeGradients(() => kernel(...inputs), inputs, dy);
    const objective = () => {
      const y = plain(...values);
      let total = 0;
      for (let i = 0; i < weights.length; i++) total += y[i] * weights[i];
      return total;
    };
    inputs.forEach((input, k) => {
      const places = new Random(seed, k).shuffled([...values[k].keys()]).slice(0, samples);
      const got = Array.from(grads[k].dataSync());
      const expected = places.map((i) => derivative(objective, values[k], i));
      const scale = Math.max(0.01, ...got.map(Math.abs));
      expectClose(
        places.map((i) => got[i]),
        expected,
        tolerance,
        { what: `gradient of input ${k} ${input.shape}`, floor: scale },
      );
    });
  });
}
