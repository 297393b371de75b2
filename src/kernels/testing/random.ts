import { type Rank, type ShapeMap, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { Random } from '../../random';

const sizeOf = (shape: readonly number[]) => shape.reduce((size, dimension) => size * dimension, 1);

/** Standard normal numbers times `deviation`. */
export function randomTensor<R extends Rank>(seed: number, shape: ShapeMap[R], deviation = 1): Tensor<R> {
  const random = new Random(seed);
  const values = Float32Array.from({ length: sizeOf(shape) }, () => deviation * random.normal());
  return tensor(values, shape);
}

/** int32 numbers in [0, below). */
export function randomIds(seed: number, count: number, below: number): Tensor<Rank.R1> {
  const random = new Random(seed);
  return tensor(
    Int32Array.from({ length: count }, () => random.integer(0, below - 1)),
    [count],
    'int32',
  );
}

/** The offsets of sequences of these lengths: int32 [lengths + 1]. */
export function startsOf(lengths: readonly number[]): Tensor<Rank.R1> {
  const starts = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    starts[i + 1] = starts[i] + length;
  });
  return tensor(starts, [starts.length], 'int32');
}

/** The position of each token of packed sequences: int32 [n]. */
export function positionsOf(lengths: readonly number[]): Tensor<Rank.R1> {
  const positions = lengths.flatMap((length) => Array.from({ length }, (_, i) => i));
  return tensor(positions, [positions.length], 'int32');
}

/** RoPE tables [positions, headDim/2]. */
export function ropeTables(
  positions: number,
  headDim: number,
  base = 10000,
): { cos: Tensor<Rank.R2>; sin: Tensor<Rank.R2> } {
  const half = headDim / 2;
  const angles = Array.from(
    { length: positions * half },
    (_, i) => Math.floor(i / half) * base ** (-(i % half) / half),
  );
  return { cos: tensor(angles.map(Math.cos), [positions, half]), sin: tensor(angles.map(Math.sin), [positions, half]) };
}
