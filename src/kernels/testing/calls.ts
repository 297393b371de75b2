import { type NamedAttrMap, type NamedTensorMap, type Tensor, tensor1d, zeros } from '@tensorflow/tfjs-core';
import { gradientKernelNames, kernelNames } from '../interface';
import { randomDecoder } from './decoder';
import { plainOptions } from './grpo';
import { positionsOf, randomIds, randomTensor, ropeTables, startsOf } from './random';

/** A kernel call by its registered name, with small inputs. */
export interface KernelCall {
  inputs: NamedTensorMap;
  attrs: NamedAttrMap;
  outputs: number;
  /** Inputs that have a gradient. */
  differentiable?: string[];
}

const attention = { heads: 2, kvHeads: 1, headDim: 6, scale: 0.4 };
const attended = () => ({ q: random(5, 12), k: random(5, 6), v: random(5, 6), starts: startsOf([2, 3]) });
const attentionResults = () => ({ dy: random(5, 12), out: random(5, 12), lse: random(5, 2) });

/** One call for every registered name; inputs are created on access. */
export const kernelCalls: Record<string, () => KernelCall> = {
  [kernelNames.embed]: () => ({
    inputs: { table: random(7, 4), ids: randomIds(1, 5, 7) },
    attrs: {},
    outputs: 1,
    differentiable: ['table'],
  }),
  [gradientKernelNames.embed]: () => ({
    inputs: { dy: random(5, 4), ids: randomIds(1, 5, 7) },
    attrs: { vocab: 7 },
    outputs: 1,
  }),
  [kernelNames.rmsNorm]: () => ({
    inputs: { x: random(5, 4), weight: random(4) },
    attrs: { eps: 1e-6, offset: 1 },
    outputs: 2,
    differentiable: ['x', 'weight'],
  }),
  [gradientKernelNames.rmsNorm]: () => ({
    inputs: { dy: random(5, 4), x: random(5, 4), weight: random(4), rstd: random(5) },
    attrs: { offset: 1 },
    outputs: 2,
  }),
  [kernelNames.rotate]: () => ({
    inputs: { x: random(5, 12), bias: random(12), positions: positionsOf([5]), ...ropeTables(5, 6) },
    attrs: { headDim: 6, bias: true },
    outputs: 1,
    differentiable: ['x', 'bias'],
  }),
  [gradientKernelNames.rotate]: () => ({
    inputs: { dy: random(5, 12), positions: positionsOf([5]), ...ropeTables(5, 6) },
    attrs: { headDim: 6, bias: true },
    outputs: 2,
  }),
  [kernelNames.glu]: () => ({
    inputs: { gate: random(5, 4), up: random(5, 4) },
    attrs: { activation: 'gelu_tanh' },
    outputs: 1,
    differentiable: ['gate', 'up'],
  }),
  [gradientKernelNames.glu]: () => ({
    inputs: { dy: random(5, 4), gate: random(5, 4), up: random(5, 4) },
    attrs: { activation: 'gelu_tanh' },
    outputs: 2,
  }),
  [kernelNames.seededDropout]: () => ({
    inputs: { x: random(5, 4) },
    attrs: { rate: 0.5, seed: 1 },
    outputs: 1,
    differentiable: ['x'],
  }),
  [kernelNames.adaptedLinear]: () => ({
    inputs: { x: random(5, 4), weight: random(6, 4), a: random(2, 4), b: random(6, 2) },
    attrs: { scale: 2, dropout: 0.5, seed: 1 },
    outputs: 2,
    differentiable: ['x', 'a', 'b'],
  }),
  [gradientKernelNames.adaptedLinear]: () => ({
    inputs: {
      dy: random(5, 6),
      x: random(5, 4),
      weight: random(6, 4),
      a: random(2, 4),
      b: random(6, 2),
      h: random(5, 2),
    },
    attrs: { scale: 2, dropout: 0.5, seed: 1 },
    outputs: 3,
  }),
  [kernelNames.attend]: () => ({
    inputs: attended(),
    attrs: attention,
    outputs: 2,
    differentiable: ['q', 'k', 'v'],
  }),
  [gradientKernelNames.attend]: () => ({
    inputs: { ...attended(), ...attentionResults() },
    attrs: attention,
    outputs: 3,
  }),
  [kernelNames.attendShared]: () => ({
    inputs: { ...attended(), parents: ints(-1, 0) },
    attrs: attention,
    outputs: 2,
    differentiable: ['q', 'k', 'v'],
  }),
  [gradientKernelNames.attendShared]: () => ({
    inputs: { ...attended(), ...attentionResults(), parents: ints(-1, 0) },
    attrs: attention,
    outputs: 3,
  }),
  [kernelNames.tokenLogProbs]: () => ({
    inputs: { hidden: random(5, 4), weight: random(7, 4), ids: randomIds(1, 5, 7) },
    attrs: { temperature: 0.7 },
    outputs: 3,
    differentiable: ['hidden', 'weight'],
  }),
  [gradientKernelNames.tokenLogProbs]: () => ({
    inputs: { dy: random(5), hidden: random(5, 4), weight: random(7, 4), ids: randomIds(1, 5, 7), lse: random(5) },
    attrs: { temperature: 0.7 },
    outputs: 2,
  }),
  [kernelNames.sampleToken]: () => ({
    inputs: { logits: random(3, 7), uniforms: tensor1d([0.1, 0.5, 0.9]) },
    attrs: { temperature: 0.8, topK: 5, topP: 0.9, minP: 0.01 },
    outputs: 2,
  }),
  [kernelNames.grpoLoss]: () => ({
    inputs: {
      logProbs: random(5),
      oldLogProbs: random(5),
      refLogProbs: random(5),
      advantages: random(2),
      mask: tensor1d([1, 0, 1, 1, 1]),
      starts: startsOf([2, 3]),
    },
    attrs: { ...plainOptions, beta: 0.1 },
    outputs: 3,
    differentiable: ['logProbs'],
  }),
  [kernelNames.decodeStep]: () => {
    const options = {
      heads: 2,
      kvHeads: 1,
      headDim: 6,
      d: 5,
      vocab: 7,
      layers: 1,
      spec: { qkvBias: true, headNorm: true },
    };
    const { weights, shape } = randomDecoder(options);
    const { layers, ropes, packed: _, ...shared } = weights;
    const tables = { cos0: ropes[0].cos, sin0: ropes[0].sin };
    const layer = Object.fromEntries(
      Object.entries(layers[0]).flatMap(([name, weight]) => (weight ? [[`0.${name}`, weight as Tensor]] : [])),
    );
    const places = { slots: ints(1, 0), past: ints(0, 0), starts: startsOf([3, 1]), tokens: randomIds(1, 4, 7) };
    const cache = { keys: zeros([1, 2, 1, 8, 6]), values: zeros([1, 2, 1, 8, 6]) };
    const attrs = shape as unknown as NamedAttrMap;
    return { inputs: { ...shared, ...tables, ...layer, ...places, ...cache }, attrs, outputs: 3 };
  },
  [kernelNames.packWeight]: () => ({ inputs: { weight: random(3, 5) }, attrs: { precision: 'int8' }, outputs: 1 }),
  [kernelNames.copySlots]: () => ({
    inputs: { keys: random(1, 3, 1, 8, 6), values: random(1, 3, 1, 8, 6) },
    attrs: { from: [0], to: [2], length: 4 },
    outputs: 2,
  }),
  [kernelNames.adamW]: () => ({
    inputs: { parameter: random(5), gradient: random(5), moment1: random(5), moment2: zeros([5]) },
    attrs: { learningRate: 0.1, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1, step: 1, gradScale: 1 },
    outputs: 3,
  }),
  [kernelNames.sumSquares]: () => ({ inputs: { 0: random(5), 1: random(2, 3) }, attrs: {}, outputs: 1 }),
};

const random = (...shape: number[]): Tensor => randomTensor(shape.length, shape as [number]);
const ints = (...values: number[]) => tensor1d(values, 'int32');
