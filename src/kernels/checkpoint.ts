import { customGrad, engine, type Tensor } from '@tensorflow/tfjs-core';
import { tapeGradients } from './tape';

/**
 * Gradient checkpointing (Chen et al., arXiv 1604.06174): computes f(x), keeps only x for the backward pass, and
 * recomputes f there. `f` must be deterministic (seeded dropout is); tensors other than x that need gradients are
 * listed in `by`.
 */
export function checkpointed<T extends Tensor>(f: (x: T) => T, x: T, by: readonly Tensor[]): T {
  const compute = customGrad((...args) => {
    const save = args[args.length - 1] as unknown as (tensors: Tensor[]) => void;
    save([x]);
    return {
      value: f(x),
      gradFunc: (dy: Tensor, [saved]: Tensor[]) => {
        const { state } = engine();
        const outer = state.activeTape;
        try {
          return tapeGradients(() => f(saved as T), [saved, ...by], dy);
        } finally {
          state.activeTape = outer; // the engine has a single tape, and drops it with the gradients of the inner one
        }
      },
    };
  });
  return compute(x, ...by) as T;
}
