import { concat, gather, type Tensor, tensor1d, unsortedSegmentSum, zeros } from '@tensorflow/tfjs-core';
import { type AttentionShape, gradientKernelNames, kernelNames } from '../interface';
import { attendReferences } from './attend';
import type { Inputs, Reference, References } from './kernel';

/** Each sequence expanded with its parent's tokens before its own. */
interface WrittenOut {
  starts: Tensor;
  /** int32 [expanded tokens]: the original token of each. */
  tokens: Tensor;
  /** int32 [n]: the position of each original token. */
  places: Tensor;
  /** int32 [expanded tokens]: the token at its original position, n for repeated ones. */
  own: Tensor;
}

function expandParents({ starts, parents }: Inputs): WrittenOut {
  const [offsets, parent] = [starts.dataSync(), parents.dataSync()];
  const n = offsets[offsets.length - 1];
  const ends = [0];
  const [tokens, places, own]: number[][] = [[], [], []];
  parent.forEach((before, s) => {
    if (before >= 0)
      for (let t = offsets[before]; t < offsets[before + 1]; t++) {
        tokens.push(t);
        own.push(n);
      }
    for (let t = offsets[s]; t < offsets[s + 1]; t++) {
      places[t] = tokens.length;
      tokens.push(t);
      own.push(t);
    }
    ends.push(tokens.length);
  });
  const int32 = (values: number[]) => tensor1d(values, 'int32');
  return { starts: int32(ends), tokens: int32(tokens), places: int32(places), own: int32(own) };
}

const attendShared: Reference<AttentionShape> = (inputs, shape) => {
  const { starts, tokens, places } = expandParents(inputs);
  const [q, k, v] = [inputs.q, inputs.k, inputs.v].map((x) => gather(x, tokens));
  const attend = attendReferences[kernelNames.attend] as Reference<AttentionShape>;
  return (attend({ q, k, v, starts }, shape) as Tensor[]).map((x) => gather(x, places));
};

/** Repeated tokens give no gradient as queries; their gradients as keys and values are summed. */
const attendSharedGrad: Reference<AttentionShape> = (inputs, shape) => {
  const { starts, tokens, places, own } = expandParents(inputs);
  const [q, k, v, out, lse] = [inputs.q, inputs.k, inputs.v, inputs.out, inputs.lse].map((x) => gather(x, tokens));
  const { dy } = inputs;
  const dOut = gather(concat([dy, zeros([1, dy.shape[1]!])]), own);
  const attendGrad = attendReferences[gradientKernelNames.attend] as Reference<AttentionShape>;
  const [dq, dk, dv] = attendGrad({ dy: dOut, q, k, v, out, lse, starts }, shape) as Tensor[];
  const added = (x: Tensor) => unsortedSegmentSum(x, tokens as never, dy.shape[0]);
  return [gather(dq, places), added(dk), added(dv)];
};

export const attendSharedReferences: References = {
  [kernelNames.attendShared]: attendShared,
  [gradientKernelNames.attendShared]: attendSharedGrad,
};
