import { addN, square, sum } from '@tensorflow/tfjs-core';
import type { Reference, References } from './kernel';

const sumSquares: Reference = (inputs) => addN(Object.values(inputs).map((x) => sum(square(x))));

export const sumSquaresReferences: References = { SumSquares: sumSquares };
