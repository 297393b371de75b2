import {
  engine,
  type GradConfig,
  getGradient,
  mul,
  type NamedAttrMap,
  type NamedTensorMap,
  registerGradient,
  type Tensor,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { gradientKernelNames, kernelNames } from './interface';
import { stockGradients } from './stock-gradients';

/**
 * Runs a backward kernel once for all inputs. Tensors created inside the gradient functions are disposed by tfjs, so
 * one call there could not serve two inputs.
 */
function backward(name: string, inputs: NamedTensorMap, attrs: object = {}): Tensor[] {
  const out = engine().runKernel(name, inputs, attrs as NamedAttrMap) as Tensor | Tensor[];
  return Array.isArray(out) ? out : [out];
}

// The tape requests gradients only of inputs that depend on the differentiated tensors: ids, starts, positions and
// similar inputs never do, and are omitted. For kernels with several outputs it passes an array, with zeros for outputs
// that do not affect the result.
const gradients: GradConfig[] = [
  {
    kernelName: kernelNames.embed,
    inputsToSave: ['table', 'ids'],
    gradFunc: (dy, [table, ids]) => {
      const [dTable] = backward(gradientKernelNames.embed, { dy: dy as Tensor, ids }, { vocab: table.shape[0] });
      return { table: () => dTable };
    },
  },
  {
    kernelName: kernelNames.rmsNorm,
    inputsToSave: ['x', 'weight'],
    outputsToSave: [false, true],
    gradFunc: (dys, [x, weight, rstd], attrs) => {
      const [dx, dWeight] = backward(gradientKernelNames.rmsNorm, { dy: (dys as Tensor[])[0], x, weight, rstd }, attrs);
      return { x: () => dx, weight: () => dWeight };
    },
  },
  {
    kernelName: kernelNames.rotate,
    inputsToSave: ['positions', 'cos', 'sin'],
    gradFunc: (dy, [positions, cos, sin], attrs) => {
      const [dx, dBias] = backward(gradientKernelNames.rotate, { dy: dy as Tensor, positions, cos, sin }, attrs);
      return { x: () => dx, bias: () => dBias };
    },
  },
  {
    kernelName: kernelNames.glu,
    inputsToSave: ['gate', 'up'],
    gradFunc: (dy, [gate, up], attrs) => {
      const [dGate, dUp] = backward(gradientKernelNames.glu, { dy: dy as Tensor, gate, up }, attrs);
      return { gate: () => dGate, up: () => dUp };
    },
  },
  {
    kernelName: kernelNames.seededDropout,
    gradFunc: (dy, _, attrs) => ({ x: () => backward(kernelNames.seededDropout, { x: dy as Tensor }, attrs)[0] }),
  },
  {
    kernelName: kernelNames.adaptedLinear,
    inputsToSave: ['x', 'weight', 'a', 'b'],
    outputsToSave: [false, true],
    gradFunc: (dys, [x, weight, a, b, h], attrs) => {
      const inputs = { dy: (dys as Tensor[])[0], x, weight, a, b, h };
      const [dx, da, db] = backward(gradientKernelNames.adaptedLinear, inputs, attrs);
      return { x: () => dx, a: () => da, b: () => db };
    },
  },
  {
    kernelName: kernelNames.attend,
    inputsToSave: ['q', 'k', 'v', 'starts'],
    outputsToSave: [true, true],
    gradFunc: (dys, [q, k, v, starts, out, lse], attrs) => {
      const inputs = { dy: (dys as Tensor[])[0], q, k, v, out, lse, starts };
      const [dq, dk, dv] = backward(gradientKernelNames.attend, inputs, attrs);
      return { q: () => dq, k: () => dk, v: () => dv };
    },
  },
  {
    kernelName: kernelNames.attendShared,
    inputsToSave: ['q', 'k', 'v', 'starts', 'parents'],
    outputsToSave: [true, true],
    gradFunc: (dys, [q, k, v, starts, parents, out, lse], attrs) => {
      const inputs = { dy: (dys as Tensor[])[0], q, k, v, out, lse, starts, parents };
      const [dq, dk, dv] = backward(gradientKernelNames.attendShared, inputs, attrs);
      return { q: () => dq, k: () => dk, v: () => dv };
    },
  },
  {
    kernelName: kernelNames.tokenLogProbs,
    inputsToSave: ['hidden', 'weight', 'ids'],
    outputsToSave: [false, false, true],
    gradFunc: (dys, [hidden, weight, ids, lse], attrs) => {
      const inputs = { dy: (dys as Tensor[])[0], hidden, weight, ids, lse };
      const [dHidden, dWeight] = backward(gradientKernelNames.tokenLogProbs, inputs, attrs);
      return { hidden: () => dHidden, weight: () => dWeight };
    },
  },
  {
    // Old and reference log-probs are constants, even if the same tensor is passed for the current ones.
    kernelName: kernelNames.grpoLoss,
    outputsToSave: [false, true, false],
    gradFunc: (dys, [dLogProbs]) => ({
      logProbs: () => mul(dLogProbs, (dys as Tensor[])[0]),
      oldLogProbs: () => zerosLike(dLogProbs),
      refLogProbs: () => zerosLike(dLogProbs),
    }),
  },
];

/**
 * Registers the gradients of the fused kernels, and of those tfjs kernels that a model needs. Once, as tfjs shares them
 * between backends.
 */
export function registerGradients(): void {
  for (const config of [...gradients, ...stockGradients]) {
    if (!getGradient(config.kernelName)) registerGradient(config);
  }
}
