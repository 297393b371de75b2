import { describe, expect, it } from 'vitest';
import type { KernelLibrary, Values } from '../native/library';
import { expectClose } from '../testing/close';
import { kernelForms } from '../testing/forms';
import { noise, out, outputsOf } from '../testing/libraries';
import { plainAttend, seenTokens } from '../testing/plain';

const lengths = [1, 2, 31, 70, 65, 130];
const noParents = null;
/** Parents that some sequences continue; longer than a block of keys, too. */
const someParents = Int32Array.from([-1, 0, -1, -1, 3, 2]);
const starts = Int32Array.from([0, ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b, 0))]);
const n = starts[lengths.length];

function inputs(
  heads: number,
  kvHeads: number,
  headDim: number,
  { parents = noParents, window = 0 }: { parents?: Int32Array | null; window?: number } = {},
) {
  const [q, k, v, dOut] = [heads, kvHeads, kvHeads, heads].map((h, i) => noise(i + 1, n * h * headDim, 2));
  return { q, k, v, dOut, parents, shape: { heads, kvHeads, headDim, scale: 1 / Math.sqrt(headDim), window } };
}

type Inputs = ReturnType<typeof inputs>;

/** [out, lse, dq, dk, dv] */
function run(library: KernelLibrary, { q, k, v, dOut, parents, shape }: Inputs): Values[] {
  const sizes = [lengths.length, shape.heads, shape.kvHeads, shape.headDim, shape.scale, shape.window];
  const results = [out(q.length), out(n * shape.heads)];
  const [y, lse] = outputsOf(library, 'attend', [q, k, v, starts, parents, ...results, ...sizes]);
  const grads = [out(q.length), out(k.length), out(v.length)];
  return [y, lse, ...outputsOf(library, 'attend_grad', [dOut, q, k, v, y, lse, starts, parents, ...grads, ...sizes])];
}

/** [dq, dk, dv] in double precision: p = softmax, dp = dOut . v, ds = p (dp - sum p dp). */
function plainGrads({ q, k, v, dOut, parents, shape }: Inputs): Float64Array[] {
  const { heads, kvHeads, headDim, scale } = shape;
  const [dq, dk, dv] = [q, k, v].map((x) => new Float64Array(x.length));
  const dot = (x: Float32Array, i: number, y: Float32Array, j: number) => {
    let sum = 0;
    for (let c = 0; c < headDim; c++) sum += x[i + c] * y[j + c];
    return sum;
  };
  lengths.forEach((length, s) => {
    for (let i = 0; i < length * heads; i++) {
      const head = i % heads;
      const query = (starts[s] * heads + i) * headDim;
      const seen = seenTokens({ starts, parents }, s, starts[s] + Math.floor(i / heads), shape.window || null);
      const key = (j: number) => (seen[j] * kvHeads + Math.floor(head / (heads / kvHeads))) * headDim;
      const weights = seen.map((_, j) => Math.exp(scale * dot(q, query, k, key(j))));
      const total = weights.reduce((a, b) => a + b);
      const dps = weights.map((_, j) => dot(dOut, query, v, key(j)));
      const mean = weights.reduce((sum, w, j) => sum + (w / total) * dps[j], 0);
      weights.forEach((w, j) => {
        const p = w / total;
        const ds = p * (dps[j] - mean) * scale;
        for (let c = 0; c < headDim; c++) {
          dv[key(j) + c] += p * dOut[query + c];
          dq[query + c] += ds * k[key(j) + c];
          dk[key(j) + c] += ds * q[query + c];
        }
      });
    }
  });
  return [dq, dk, dv];
}

describe.each(await kernelForms())('attend on $name', ({ one: alone, three: together }) => {
  it.each([
    [4, 2, 6, noParents, 0],
    [2, 2, 10, someParents, 0],
    [3, 1, 34, someParents, 0],
    [2, 1, 64, noParents, 0],
    [2, 1, 10, noParents, 3],
    [2, 1, 10, someParents, 40],
    [2, 1, 10, someParents, 67],
  ])(
    '%i heads on %i of %i, parents %s, window %i: right, and the same bytes with any number of threads',
    (heads, kvHeads, headDim, parents, window) => {
      const given = inputs(heads, kvHeads, headDim, { parents, window });
      const results = run(alone, given);
      const { q, k, v, shape } = given;
      const expected = [
        plainAttend(q, k, v, { starts, parents }, { ...shape, window: window || null }),
        null,
        ...plainGrads(given),
      ];
      expected.forEach((values, i) => {
        if (values) expectClose(results[i], values, 3e-6, { what: `result ${i}` });
      });
      expect(run(together, given)).toEqual(results);
    },
  );

  it('a NaN reaches the tokens that see it, and no others', () => {
    const given = inputs(2, 1, 8);
    const spoiled = starts[3] + 40; // within the sequence of 70
    given.k[spoiled * 8 + 3] = Number.NaN;
    const [y, , dq] = run(alone, given);
    for (let row = 0; row < n; row++) {
      const sees = row >= spoiled && row < starts[4];
      expect(Number.isNaN(y[row * 16])).toBe(sees);
      expect(Number.isNaN(dq[row * 16 + 15])).toBe(sees);
    }
  });
});
