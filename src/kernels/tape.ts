import { dispose, engine, type Scalar, type Tensor, tidy } from '@tensorflow/tfjs-core';

/**
 * Value and gradients of a scalar function, like tfjs's engine().gradients but with about half of the memory. The
 * engine keeps everything saved by the forward pass, and every intermediate gradient, until the backward pass is over;
 * here each is disposed after its use.
 */
export function gradientsOf(f: () => Scalar, xs: Tensor[]): { value: Scalar; grads: Tensor[] } {
  const { value, grads } = engine().gradients(() => recorded(f), xs, undefined, true);
  return { value: value as Scalar, grads };
}

/** The gradients of sum(f * dy) with the same memory savings; everything else is disposed. */
export function tapeGradients(f: () => Tensor, xs: Tensor[], dy: Tensor): Tensor[] {
  // The backward pass would dispose the tensor that it begins with, which it does not own.
  return tidy(() => engine().gradients(() => recorded(f), xs, dy.clone(), true).grads);
}

function recorded<T extends Tensor>(f: () => T): T {
  const y = f();
  disposeDuringBackward();
  return y;
}

/**
 * Wraps the nodes of the tape that is being recorded. The backward pass visits them from last to first. When it reaches
 * a node, the previous one is finished, so these can be disposed: its saved tensors, the gradient of its output (which
 * no other node reads), and those gradients of its inputs that were added to earlier ones (the engine disposes only the
 * first operand of a sum).
 */
function disposeDuringBackward(): void {
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
