import { type GradConfig, matMul, mul, neg, ones, reshape, sum, type Tensor, util } from '@tensorflow/tfjs-core';

/**
 * Sums dy over the axes along which an operand of this shape was broadcast. Always returns a new handle, because tfjs
 * disposes each gradient once.
 */
function sumTo(dy: Tensor, shape: number[]): Tensor {
  const lead = dy.rank - shape.length;
  const axes = dy.shape.flatMap((size, i) => (i < lead || (shape[i - lead] === 1 && size !== 1) ? [i] : []));
  return reshape(axes.length > 0 ? sum(dy, axes) : dy, shape);
}

/** dy of a reduction, broadcast to the reduced elements. */
function spread(dy: Tensor, x: Tensor, axis: unknown): Tensor {
  const axes = util.parseAxisParam(axis as number | number[], x.shape);
  const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  return mul(reshape(dy, kept), ones(x.shape));
}

/**
 * Gradients of the tfjs operations that models and losses use besides the fused kernels. tfjs-core's build for Node has
 * kernels but no gradients; when bundled from its modules it has all of them, and these are not used.
 */
export const stockGradients: GradConfig[] = [
  {
    kernelName: 'Identity',
    gradFunc: (dy) => ({ x: () => reshape(dy as Tensor, (dy as Tensor).shape) }),
  },
  {
    kernelName: 'Reshape',
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({ x: () => reshape(dy as Tensor, x.shape) }),
  },
  {
    kernelName: 'Neg',
    gradFunc: (dy) => ({ x: () => neg(dy as Tensor) }),
  },
  {
    kernelName: 'Add',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => ({ a: () => sumTo(dy as Tensor, a.shape), b: () => sumTo(dy as Tensor, b.shape) }),
  },
  {
    kernelName: 'Sub',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => ({ a: () => sumTo(dy as Tensor, a.shape), b: () => neg(sumTo(dy as Tensor, b.shape)) }),
  },
  {
    kernelName: 'Multiply',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => ({
      a: () => sumTo(mul(dy as Tensor, b), a.shape),
      b: () => sumTo(mul(dy as Tensor, a), b.shape),
    }),
  },
  {
    kernelName: 'Sum',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], { axis }) => ({ x: () => spread(dy as Tensor, x, axis) }),
  },
  {
    kernelName: 'Mean',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], { axis }) => ({
      x: () => spread(mul(dy as Tensor, (dy as Tensor).size / x.size), x, axis),
    }),
  },
  {
    kernelName: 'BatchMatMul',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b], attrs) => {
      const [g, transposeA, transposeB] = [dy as Tensor, attrs.transposeA as boolean, attrs.transposeB as boolean];
      return {
        a: () => sumTo(transposeA ? matMul(b, g, transposeB, true) : matMul(g, b, false, !transposeB), a.shape),
        b: () => sumTo(transposeB ? matMul(g, a, true, transposeA) : matMul(a, g, !transposeA, false), b.shape),
      };
    },
  },
];
