import {
  add,
  concat,
  div,
  exp,
  expandDims,
  gatherND,
  logSumExp,
  matMul,
  mul,
  oneHot,
  range,
  slice,
  stack,
  sub,
  sum,
  type Tensor,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { Reference, References } from './kernel';

interface Attrs {
  temperature: number;
  /** The weight needs no gradient. */
  frozen?: boolean;
  /** Rows of a chunk (default: 32 MB of logits). */
  chunkRows?: number;
}

function chunks(n: number, vocab: number, chunkRows?: number): { start: number; rows: number }[] {
  const size = chunkRows ?? Math.max(1, Math.floor(2 ** 23 / vocab));
  return Array.from({ length: Math.ceil(n / size) }, (_, i) => ({
    start: i * size,
    rows: Math.min(size, n - i * size),
  }));
}

const scaledLogits = (hidden: Tensor, weight: Tensor, temperature: number) =>
  div(matMul(hidden, weight, false, true), temperature);

/** -> [logProbs, entropy, lse], all [n] */
const tokenLogProbs: Reference<Attrs> = ({ hidden, weight, ids }, { temperature, chunkRows }) => {
  const parts = chunks(hidden.shape[0]!, weight.shape[0]!, chunkRows).map(({ start, rows }) =>
    tidy(() => {
      const logits = scaledLogits(slice(hidden, start, rows), weight, temperature);
      const lse = logSumExp(logits, 1);
      const p = exp(sub(logits, expandDims(lse, 1)));
      const chosen = gatherND(logits, stack([range(0, rows, 1, 'int32'), slice(ids, start, rows)], 1));
      return [sub(chosen, lse), sub(lse, sum(mul(p, logits), 1)), lse];
    }),
  );
  return [0, 1, 2].map((output) => concat(parts.map((part) => part[output])));
};

/** dLogits = dy * (onehot - p) / temperature; logits are recomputed from hidden, weight and the saved log-sum-exp. */
const tokenLogProbsGrad: Reference<Attrs> = ({ dy, hidden, weight, ids, lse }, attrs) => {
  const { temperature, chunkRows, frozen } = attrs;
  const vocab = weight.shape[0]!;
  const dHidden: Tensor[] = [];
  let dWeight = frozen ? null : zerosLike(weight);
  for (const { start, rows } of chunks(hidden.shape[0]!, vocab, chunkRows)) {
    const part = tidy(() => {
      const h = slice(hidden, start, rows);
      const p = exp(sub(scaledLogits(h, weight, temperature), expandDims(slice(lse, start, rows), 1)));
      const scaled = expandDims(div(slice(dy, start, rows), temperature), 1);
      const dLogits = mul(scaled, sub(oneHot(slice(ids, start, rows), vocab, 1, 0, 'float32'), p));
      return [matMul(dLogits, weight), ...(dWeight ? [add(dWeight, matMul(dLogits, h, true, false))] : [])];
    });
    dWeight?.dispose();
    dHidden.push(part[0]);
    dWeight = part[1] ?? null;
  }
  return dWeight ? [concat(dHidden), dWeight] : [concat(dHidden)];
};

export const tokenLogProbsReferences: References = {
  TokenLogProbs: tokenLogProbs,
  TokenLogProbsGrad: tokenLogProbsGrad,
};
