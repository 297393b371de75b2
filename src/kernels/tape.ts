import { dispose, engine, type Scalar, type Tensor, tidy } from '@tensorflow/tfjs-core';

/**
 * Value and gradients of a scalar function, as tfjs's engine().gradients gives them, in about half of its memory: the
 * engine keeps what the forward pass saved, and every gradient on the way, until the whole backward pass is over; here
 * each goes as soon as it has been used.
 */
export function gradientsOf(f: () => Scalar, xs: Tensor[]): { value: Scalar; grads: Tensor[] } {
  const { value, grads } = engine().gradients(() => recorded(f), xs, undefined, true);
  return { value: value as Scalar, grads };
}

/** The gradients of sum(f * dy), in as little memory; nothing else is left. */
export function tapeGradients(f: () => Tensor, xs: Tensor[], dy: Tensor): Tensor[] {
  // The backward pass would let go of the tensor that it begins with, which is not its own.
  return tidy(() => engine().gradients(() => recorded(f), xs, dy.clone(), true).grads);
}

function recorded<T extends Tensor>(f: () => T): T {
  const y = f();
  releaseOnTheWay();
  return y;
}

/**
 * Wraps the nodes of the tape that is being recorded. The backward pass visits them from last to first, so when a
 * node's turn comes, the one before is done with: with its saved tensors, with the gradient of its output, which no
 * other node reads, and with such gradients of its inputs as were added to earlier ones (the engine disposes of the
 * sum's first operand only).
 */
function releaseOnTheWay(): void {
  const reached = new Set<number>();
  let used: Tensor[] = [];
  for (const node of engine().state.activeTape) {
    const { gradient, saved, inputs } = node;
    if (!gradient) continue;
    node.gradient = (dys: Tensor[]) => {
      dispose(used);
      used = [...dys.filter((dy) => dy !== null), ...(saved ?? [])];
      const parts = Object.entries(gradient(dys)).map(([name, compute]): [string, () => Tensor] => [
        name,
        () => {
          const part = compute();
          const { id } = inputs[name];
          if (reached.has(id)) used.push(part);
          reached.add(id);
          return part;
        },
      ]);
      return Object.fromEntries(parts);
    };
  }
}
