/** The kernels written literally in double precision, one loop per sum: the reference for all implementations. */
import type { Activation } from '../../student-files/layer-spec';
import type { AttentionShape } from '../interface';

type Numbers = ArrayLike<number>;

/** table [vocab, d], ids [n] -> [n, d] */
export function plainEmbed(table: Numbers, ids: Numbers, d: number): Float64Array {
  return Float64Array.from({ length: ids.length * d }, (_, i) => table[ids[Math.floor(i / d)] * d + (i % d)]);
}

/** x [n, d], weight [d] -> [n, d] */
export function plainRmsNorm(x: Numbers, weight: Numbers, eps: number): Float64Array {
  const d = weight.length;
  const y = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += d) {
    let squares = 0;
    for (let j = 0; j < d; j++) squares += x[row + j] ** 2;
    for (let j = 0; j < d; j++) y[row + j] = (x[row + j] / Math.sqrt(squares / d + eps)) * weight[j];
  }
  return y;
}

/** x [n, heads*headDim], bias [heads*headDim] or null, positions [n], tables [positions, headDim/2] */
export function plainRotate(
  x: Numbers,
  bias: Numbers | null,
  { positions, cos, sin }: { positions: Numbers; cos: Numbers; sin: Numbers },
  headDim: number,
): Float64Array {
  const width = x.length / positions.length;
  const half = headDim / 2;
  const at = (row: number, j: number) => x[row * width + j] + (bias ? bias[j] : 0);
  const y = new Float64Array(x.length);
  for (let row = 0; row < positions.length; row++) {
    for (let head = 0; head < width; head += headDim) {
      for (let i = 0; i < half; i++) {
        const c = cos[positions[row] * half + i];
        const s = sin[positions[row] * half + i];
        const [low, high] = [at(row, head + i), at(row, head + i + half)];
        y[row * width + head + i] = low * c - high * s;
        y[row * width + head + i + half] = high * c + low * s;
      }
    }
  }
  return y;
}

/** x / (1 + e^-x), and x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x³))) (torch.nn.functional.silu, .gelu). */
export const plainActivations: Record<Activation, (x: number) => number> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

export function plainGlu(gate: Numbers, up: Numbers, activation: Activation): Float64Array {
  return Float64Array.from({ length: gate.length }, (_, i) => plainActivations[activation](gate[i]) * up[i]);
}

/** log(sum(exp(z))) */
export function logSumExp(z: Numbers): number {
  let top = -Infinity;
  for (let i = 0; i < z.length; i++) top = Math.max(top, z[i]);
  let total = 0;
  for (let i = 0; i < z.length; i++) total += Math.exp(z[i] - top);
  return top + Math.log(total);
}

/** q [n, heads*headDim], k and v [n, kvHeads*headDim], starts [sequences + 1] -> [n, heads*headDim] */
export function plainAttend(
  q: Numbers,
  k: Numbers,
  v: Numbers,
  { starts, parents }: PlainSequences,
  shape: AttentionShape,
): Float64Array {
  const { heads, kvHeads, headDim, scale } = shape;
  const out = new Float64Array(q.length);
  for (let s = 0; s + 1 < starts.length; s++) {
    for (let row = starts[s]; row < starts[s + 1]; row++) {
      const tokens = seenTokens({ starts, parents }, s, row, shape.window);
      for (let head = 0; head < heads; head++) {
        const shared = Math.floor(head / (heads / kvHeads));
        const query = (row * heads + head) * headDim;
        const keys = tokens.map((token) => (token * kvHeads + shared) * headDim);
        const scores = Float64Array.from(keys, (key) => {
          let score = 0;
          for (let i = 0; i < headDim; i++) score += scale * q[query + i] * k[key + i];
          return score;
        });
        const lse = logSumExp(scores);
        for (const [t, key] of keys.entries()) {
          const p = Math.exp(scores[t] - lse);
          for (let i = 0; i < headDim; i++) out[query + i] += p * v[key + i];
        }
      }
    }
  }
  return out;
}

export interface PlainSequences {
  starts: Numbers;
  parents?: Numbers | null;
}

/** The tokens that token `row` of sequence `s` attends to: the last ones of its parent's and its own up to itself. */
export function seenTokens(
  { starts, parents }: PlainSequences,
  s: number,
  row: number,
  window?: number | null,
): number[] {
  const range = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => from + i);
  const parent = parents?.[s] ?? -1;
  const before = parent < 0 ? [] : range(starts[parent], starts[parent + 1]);
  return [...before, ...range(starts[s], row + 1)].slice(-(window ?? Number.POSITIVE_INFINITY));
}

/** hidden [n, d], weight [vocab, d], ids [n] */
export function plainTokenLogProbs(
  hidden: Numbers,
  weight: Numbers,
  ids: Numbers,
  temperature: number,
): { logProbs: Float64Array; entropy: Float64Array } {
  const n = ids.length;
  const d = hidden.length / n;
  const vocab = weight.length / d;
  const logProbs = new Float64Array(n);
  const entropy = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    const logits = Float64Array.from({ length: vocab }, (_, token) => {
      let total = 0;
      for (let i = 0; i < d; i++) total += hidden[row * d + i] * weight[token * d + i];
      return total / temperature;
    });
    const lse = logSumExp(logits);
    logProbs[row] = logits[ids[row]] - lse;
    for (const z of logits) entropy[row] -= Math.exp(z - lse) * (z - lse);
  }
  return { logProbs, entropy };
}
