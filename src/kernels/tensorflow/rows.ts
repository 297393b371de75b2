/** Kernels that work on rows: embedding, RMSNorm, rotation, gated units, dropout, a linear layer with its adapter. */
import { mix as mixWord } from '../../random';
import type { Activation } from '../../student-files/layer-spec';
import { type Adaptation, type GluAttrs, gradientKernelNames, kernelNames, type NormShape } from '../interface';
import { gluTerms } from '../reference/glu';
import { type Handle, TF_UINT32 } from './binding';
import { Latest } from './latest';
import type { Ops } from './ops';
import { registerTensorFlow, type TensorFlowKernel } from './register';

registerTensorFlow(kernelNames.embed, ({ gather }, { table, ids }) => [gather(table, ids)]);

registerTensorFlow<{ vocab: number }>(gradientKernelNames.embed, ({ op, constant }, { dy, ids }, { vocab }) => [
  op('UnsortedSegmentSum', [dy, ids, constant([vocab], true)]),
]);

/** [y, 1/rms [n]] of x [n, d] */
export function rmsNorm(ops: Ops, x: Handle, weight: Handle, { eps, offset }: NormShape): { y: Handle; rstd: Handle } {
  const { op, mul, add, mean, scalar } = ops;
  const rstd = op('Rsqrt', [add(mean(op('Square', [x]), 1), scalar(eps))]);
  return { y: mul(mul(x, rstd), factor(ops, weight, offset)), rstd };
}

const factor = (ops: Ops, weight: Handle, offset: number) =>
  offset === 0 ? weight : ops.add(weight, ops.scalar(offset));

registerTensorFlow<NormShape>(kernelNames.rmsNorm, (ops, { x, weight }, shape) => {
  const { y, rstd } = rmsNorm(ops, x, weight, shape);
  return [y, ops.reshape(rstd, [x.shape[0]])];
});

registerTensorFlow<NormShape>(gradientKernelNames.rmsNorm, (ops, { dy, x, weight, rstd }, { offset }) => {
  const { mul, sub, mean, sum, reshape } = ops;
  const scale = reshape(rstd, [x.shape[0], 1]);
  const xhat = mul(x, scale);
  const g = mul(dy, factor(ops, weight, offset));
  return [mul(scale, sub(g, mul(xhat, mean(mul(g, xhat), 1)))), sum(mul(dy, xhat), 0)];
});

export interface Turn {
  /** [n, 1, 1, half] */
  cos: Handle;
  /** [n, 1, 2, half]: minus the sine for the lower half, the sine for the upper one. */
  sin: Handle;
}

/** Cosines and sines for each token. */
export function turnOf({ gather, reshape, concat, op }: Ops, positions: Handle, cos: Handle, sin: Handle): Turn {
  const [n, half] = [positions.shape[0], cos.shape[1]];
  const s = reshape(gather(sin, positions), [n, 1, 1, half]);
  return { cos: reshape(gather(cos, positions), [n, 1, 1, half]), sin: concat([op('Neg', [s]), s], 2) };
}

/** x [n, heads*headDim] rotated by `turn`, or back. */
export function turned(ops: Ops, x: Handle, turn: Turn, headDim: number, back = false): Handle {
  const { reshape, mul, op, constant } = ops;
  const [n, width] = x.shape;
  const halves = reshape(x, [n, width / headDim, 2, headDim / 2]);
  const swapped = mul(op('ReverseV2', [halves, constant([2])]), turn.sin);
  return reshape(op(back ? 'Sub' : 'AddV2', [mul(halves, turn.cos), swapped]), [n, width]);
}

interface RotateAttrs {
  headDim: number;
  bias: boolean;
}

/** All layers of a batch use the same positions. */
const turns = new Latest<Turn>();

function sharedTurn(...[ops, inputs, , { backend, inputs: given }]: Parameters<TensorFlowKernel<RotateAttrs>>): Turn {
  const keys = [given.positions.dataId, given.cos.dataId, given.sin.dataId];
  return turns.of(backend, keys, '', (keep) => {
    const { cos, sin } = turnOf(ops, inputs.positions, inputs.cos, inputs.sin);
    return { cos: keep(ops.retain(cos)), sin: keep(ops.retain(sin)) };
  });
}

registerTensorFlow<RotateAttrs>(kernelNames.rotate, (ops, inputs, attrs, given) => {
  const x = inputs.bias ? ops.op('BiasAdd', [inputs.x, inputs.bias]) : inputs.x;
  return [turned(ops, x, sharedTurn(ops, inputs, attrs, given), attrs.headDim)];
});

registerTensorFlow<RotateAttrs>(gradientKernelNames.rotate, (ops, inputs, attrs, given) => {
  const dx = turned(ops, inputs.dy, sharedTurn(ops, inputs, attrs, given), attrs.headDim, true);
  return attrs.bias ? [dx, ops.sum(dx, 0)] : [dx];
});

/** g (linear + cubic g²): the argument of an activation's sigmoid (reference/glu.ts). */
function gluTerm({ mul, add, op, scalar }: Ops, gate: Handle, linear: number, cubic: number): Handle {
  return cubic === 0 ? gate : mul(gate, add(mul(op('Square', [gate]), scalar(cubic)), scalar(linear)));
}

export function glu(ops: Ops, gate: Handle, up: Handle, activation: Activation): Handle {
  const { linear, cubic } = gluTerms[activation];
  return ops.mul(ops.mul(gate, ops.op('Sigmoid', [gluTerm(ops, gate, linear, cubic)])), up);
}

registerTensorFlow<GluAttrs>(kernelNames.glu, (ops, { gate, up }, { activation }) => [glu(ops, gate, up, activation)]);

/** SigmoidGrad(s, d) = d s (1 - s), so that with a = dy up: dGate = a s + a s (1 - s) gate dz/dgate. */
registerTensorFlow<GluAttrs>(gradientKernelNames.glu, (ops, { dy, gate, up }, { activation }) => {
  const { mul, add, op } = ops;
  const { linear, cubic } = gluTerms[activation];
  const s = op('Sigmoid', [gluTerm(ops, gate, linear, cubic)]);
  const a = mul(dy, up);
  const turned = gluTerm(ops, gate, linear, 3 * cubic);
  return [add(mul(a, s), op('SigmoidGrad', [s, mul(a, turned)])), mul(dy, mul(gate, s))];
});

const int32 = (word: number) => word | 0;

/**
 * bits(seed, i) of src/random.ts >= rate * 2^32 as 1 / (1 - rate), else 0, for i = 0.., on the device in 32-bit
 * unsigned integers.
 */
function dropoutMask(ops: Ops, shape: number[], rate: number, seed: number): Handle {
  const { op, cast, constant, scalar, mul, add, reshape } = ops;
  const unsigned = (handle: Handle) => op('Bitcast', [handle], [ops.type('type', TF_UINT32)]);
  const word = (value: number) => unsigned(constant([int32(value)], true));
  const shifted = (x: Handle, by: number) => op('RightShift', [x, word(by)]);
  const fold = (x: Handle, by: number) => op('BitwiseXor', [x, shifted(x, by)]);
  const mix = (x: Handle) => fold(mul(fold(mul(fold(x, 16), word(0x85ebca6b)), 13), word(0xc2b2ae35)), 16);
  const size = shape.reduce((product, side) => product * side, 1);
  const indices = op('Range', [constant([0], true), constant([size], true), constant([1], true)]);
  const counters = unsigned(indices);
  // A new one each time: not a constant.
  const start = unsigned(ops.upload(Int32Array.of(mixWord(seed ^ 0x9e3779b9) + 0x7f4a7c15), []));
  const drawn = mix(mix(add(mul(counters, word(0x9e3779b1)), start)));
  // Unsigned comparison on every device: the highest bits of both sides are flipped, and they are compared as signed
  // numbers.
  const signed = op('Bitcast', [op('BitwiseXor', [drawn, word(0x80000000)])], [ops.type('type', indices.dtype)]);
  const threshold = constant([int32(Math.ceil(rate * 2 ** 32) ^ 0x80000000)], true);
  const kept = cast(op('GreaterEqual', [signed, threshold]), scalar(0).dtype);
  return reshape(mul(kept, scalar(1 / (1 - rate))), shape);
}

function dropped(ops: Ops, x: Handle, rate: number, seed: number): Handle {
  return rate === 0 ? x : ops.mul(x, dropoutMask(ops, x.shape, rate, seed));
}

registerTensorFlow<{ rate: number; seed: number }>(kernelNames.seededDropout, (ops, { x }, { rate, seed }) => [
  dropped(ops, x, rate, seed),
]);

registerTensorFlow<Adaptation>(kernelNames.adaptedLinear, (ops, { x, weight, a, b }, { scale, dropout, seed }) => {
  const { matMul, add } = ops;
  const h = ops.mul(matMul(dropped(ops, x, dropout, seed), a, false, true), ops.scalar(scale));
  return [add(matMul(x, weight, false, true), matMul(h, b, false, true)), h];
});

registerTensorFlow<Adaptation>(gradientKernelNames.adaptedLinear, (ops, inputs, { scale, dropout, seed }) => {
  const { dy, x, weight, a, b, h } = inputs;
  const { matMul, add, mul } = ops;
  const dh = ops.mul(matMul(dy, b), ops.scalar(scale));
  const mask = dropout === 0 ? null : dropoutMask(ops, x.shape, dropout, seed);
  const through = matMul(dh, a);
  return [
    add(matMul(dy, weight), mask ? mul(through, mask) : through),
    matMul(dh, mask ? mul(x, mask) : x, true, false),
    matMul(dy, h, true, false),
  ];
});
