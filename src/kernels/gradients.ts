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

/**
 * A gradient computed by the backward kernel of the same name. That kernel receives the first output's gradient as `dy`
 * and, by name, the inputs in `saves` and the named `outputs` of the forward kernel; it returns one gradient for each
 * input in `of`. A kernel with a single output, which is not saved, has no `outputs`.
 */
function ofBackwardKernel(
  kernel: keyof typeof gradientKernelNames,
  { saves, outputs, of }: { saves: string[]; outputs?: (string | null)[]; of: string[] },
): GradConfig {
  const names = [...saves, ...(outputs ?? []).filter((name) => name !== null)];
  return {
    kernelName: kernelNames[kernel],
    inputsToSave: saves,
    outputsToSave: outputs?.map((name) => name !== null),
    gradFunc: (dy, saved, attrs) => {
      const inputs = Object.fromEntries(saved.map((tensor, i) => [names[i], tensor]));
      const results = backward(gradientKernelNames[kernel], { ...inputs, dy: [dy].flat()[0] }, attrs);
      return Object.fromEntries(of.map((input, i) => [input, () => results[i]]));
    },
  };
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
  ofBackwardKernel('rmsNorm', { saves: ['x', 'weight'], outputs: [null, 'rstd'], of: ['x', 'weight'] }),
  ofBackwardKernel('rotate', { saves: ['positions', 'cos', 'sin'], of: ['x', 'bias'] }),
  ofBackwardKernel('glu', { saves: ['gate', 'up'], of: ['gate', 'up'] }),
  {
    kernelName: kernelNames.seededDropout,
    gradFunc: (dy, _, attrs) => ({ x: () => backward(kernelNames.seededDropout, { x: dy as Tensor }, attrs)[0] }),
  },
  ofBackwardKernel('adaptedLinear', { saves: ['x', 'weight', 'a', 'b'], outputs: [null, 'h'], of: ['x', 'a', 'b'] }),
  ofBackwardKernel('attend', { saves: ['q', 'k', 'v', 'starts'], outputs: ['out', 'lse'], of: ['q', 'k', 'v'] }),
  ofBackwardKernel('attendShared', {
    saves: ['q', 'k', 'v', 'starts', 'parents'],
    outputs: ['out', 'lse'],
    of: ['q', 'k', 'v'],
  }),
  ofBackwardKernel('tokenLogProbs', {
    saves: ['hidden', 'weight', 'ids'],
    outputs: [null, null, 'lse'],
    of: ['hidden', 'weight'],
  }),
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
