import { dispose, engine, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Sampling } from '../../engine-data/sampling';
import { useBackend } from '../backends';
import { tokenLogProbs } from '../interface';
import type { KernelLibrary } from '../native/library';
import { expectClose } from '../testing/close';
import { kernelForms } from '../testing/forms';
import { noise, out, outIds, outputsOf, space } from '../testing/libraries';
import { plainTokenLogProbs } from '../testing/plain';
import type { EmbeddedBackend } from './backend';

const temperature = 0.7;

function inputs(n: number, d: number, vocab: number) {
  const ids = Int32Array.from(noise(4, n, vocab / 2), (x) => Math.floor(x + vocab / 2));
  return { hidden: noise(1, n * d, 4), weight: noise(2, vocab * d), dy: noise(3, n), ids, n, d, vocab };
}

type Inputs = ReturnType<typeof inputs>;

/** [logProbs, entropy, lse, dHidden, dWeight] */
function run(library: KernelLibrary, { hidden, weight, dy, ids, n, d, vocab }: Inputs, rows: number, columns: number) {
  const sizes = [n, d, vocab, temperature, rows, columns];
  const held = space(rows * (columns + 1));
  const results = outputsOf(library, 'token_log_probs', [hidden, weight, ids, out(n), out(n), out(n), held, ...sizes]);
  const grads = [out(n * d), out(vocab * d)];
  const given = [dy, hidden, weight, ids, results[2]];
  return [...results, ...outputsOf(library, 'token_log_probs_grad', [...given, ...grads, held, ...sizes])];
}

/** [dHidden, dWeight] of sum(dy * logProbs) */
function plainGrads({ hidden, weight, dy, ids, n, d, vocab }: Inputs): Float64Array[] {
  const [dHidden, dWeight] = [new Float64Array(n * d), new Float64Array(vocab * d)];
  for (let row = 0; row < n; row++) {
    const z = Array.from({ length: vocab }, (_, token) => {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += hidden[row * d + c] * weight[token * d + c];
      return sum / temperature;
    });
    const top = Math.max(...z);
    const total = z.reduce((sum, x) => sum + Math.exp(x - top), 0);
    z.forEach((x, token) => {
      const dz = (dy[row] * (Number(token === ids[row]) - Math.exp(x - top) / total)) / temperature;
      for (let c = 0; c < d; c++) {
        dHidden[row * d + c] += dz * weight[token * d + c];
        dWeight[token * d + c] += dz * hidden[row * d + c];
      }
    });
  }
  return [dHidden, dWeight];
}

function sample(library: KernelLibrary, logits: Float32Array, uniforms: Float32Array, sampling: Sampling) {
  const rows = uniforms.length;
  const { temperature: t, topK, topP, minP } = sampling;
  const sizes = [rows, logits.length / rows, t, topK, topP, minP];
  const [ids, logProbs] = outputsOf(library, 'sample_token', [
    logits,
    uniforms,
    outIds(rows),
    out(rows),
    space(logits.length),
    ...sizes,
  ]);
  return { ids, logProbs };
}

/** The distribution that is sampled from, by sorting. */
function plainShares(logits: Float32Array, { temperature: t, topK, topP, minP }: Sampling): number[] {
  const top = Math.max(...logits);
  const shares = Array.from(logits, (z) => Math.exp((z - top) / t));
  let order = shares.map((_, id) => id).sort((a, b) => shares[b] - shares[a] || a - b);
  if (topK > 0) order = order.slice(0, topK);
  const mass = order.reduce((sum, id) => sum + shares[id], 0);
  let before = 0;
  order = order.filter((id) => {
    const kept = topP >= 1 || before < Math.max(topP, 1e-30) * mass;
    before += shares[id];
    return kept;
  });
  const kept = new Set(order.filter((id) => shares[id] >= minP));
  const total = [...kept].reduce((sum, id) => sum + shares[id], 0);
  return shares.map((share, id) => (kept.has(id) ? share / total : 0));
}

const all: Sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };

describe.each(await kernelForms())('vocabulary on $name', ({ one: alone, three: together }) => {
  it.each([
    [13, 6, 7, 5, 3],
    [21, 10, 513, 256, 2048],
    [21, 34, 513, 8, 100],
    [1, 10, 513, 1, 512],
  ])('%i tokens of %i, vocabulary %i, chunks of %i x %i: log-probs and gradients', (n, d, vocab, rows, columns) => {
    const given = inputs(n, d, vocab);
    const results = run(alone, given, rows, columns);
    const { logProbs, entropy } = plainTokenLogProbs(given.hidden, given.weight, given.ids, temperature);
    const [dHidden, dWeight] = plainGrads(given);
    expectClose(results[0], logProbs, 1e-6, { what: 'logProbs' });
    expectClose(results[1], entropy, 2e-6, { what: 'entropy' });
    expectClose(results[3], dHidden, 1e-5, { what: 'dHidden' });
    expectClose(results[4], dWeight, 1e-5, { what: 'dWeight' });
    expect(run(together, given, rows, columns)).toEqual(results);
  });

  it('a NaN in one row does not reach the others', () => {
    const given = inputs(5, 6, 40);
    given.hidden[2 * 6 + 1] = Number.NaN;
    const [logProbs, entropy] = run(alone, given, 5, 16);
    expect([...logProbs].map(Number.isNaN)).toEqual([false, false, true, false, false]);
    expect([...entropy].map(Number.isNaN)).toEqual([false, false, true, false, false]);
  });

  it.each<Partial<Sampling>>([
    {},
    { temperature: 0.7, topK: 5 },
    { topP: 0.8 },
    { topP: 0 },
    { minP: 0.1 },
    { temperature: 1.3, topK: 40, topP: 0.9, minP: 0.01 },
    { topK: 1000 },
  ])('samples by inverse transform among what %o leaves', (partial) => {
    const sampling = { ...all, ...partial };
    const [rows, vocab] = [60, 513];
    const logits = noise(5, rows * vocab, 5);
    const uniforms = noise(6, rows, 0.5).map((x) => x + 0.5);
    const { ids, logProbs } = sample(alone, logits, uniforms, sampling);
    for (let row = 0; row < rows; row++) {
      const z = logits.subarray(row * vocab, (row + 1) * vocab);
      const shares = plainShares(z, sampling);
      const before = shares.slice(0, ids[row]).reduce((sum, share) => sum + share, 0);
      expect(shares[ids[row]]).toBeGreaterThan(0);
      expect(before).toBeLessThan(uniforms[row] + 1e-6);
      expect(before + shares[ids[row]]).toBeGreaterThan(uniforms[row] - 1e-6);
      const unfiltered = plainShares(z, { ...all, temperature: sampling.temperature });
      expect(logProbs[row]).toBeCloseTo(Math.log(unfiltered[ids[row]]), 5);
    }
    expect(sample(together, logits, uniforms, sampling)).toEqual({ ids, logProbs });
  });

  it('keeps the lower ids of equal ones, is greedy at temperature 0, and never gives what has no probability', () => {
    const flat = new Float32Array(7 * 9);
    const uniforms = Float32Array.from({ length: 9 }, (_, i) => i / 9);
    expect([...sample(alone, flat, uniforms, { ...all, topK: 3 }).ids]).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect([...sample(alone, flat, uniforms, { ...all, topP: 0.25 }).ids]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1]);
    const logits = Float32Array.of(1, 3, -Infinity, 3, 0, 2, -Infinity);
    const greedy = sample(alone, logits, Float32Array.of(0.99), { ...all, temperature: 0 });
    expect(greedy.ids[0]).toBe(1);
    expect(greedy.logProbs[0]).toBeCloseTo(Math.log(plainShares(logits, all)[1]), 6);
    expect(sample(alone, logits, Float32Array.of(1 - 2 ** -24), all).ids[0]).toBe(5);
  });

  it('gives a NaN log-prob for logits with a NaN', () => {
    const logits = noise(7, 2 * 33);
    logits[40] = Number.NaN;
    const { logProbs } = sample(alone, logits, Float32Array.of(0.5, 0.5), { ...all, topP: 0.9 });
    expect([...logProbs].map(Number.isNaN)).toEqual([false, true]);
  });

  it('matches the softmax in a chi-square test', () => {
    const [draws, vocab] = [20000, 12];
    const row = noise(8, vocab, 1.5);
    const logits = Float32Array.from({ length: draws * vocab }, (_, i) => row[i % vocab]);
    const uniforms = Float32Array.from(noise(9, draws, 0.5), (x) => x + 0.5);
    const counts = new Array(vocab).fill(0);
    for (const id of sample(together, logits, uniforms, all).ids) counts[id]++;
    const expected = plainShares(row, all).map((share) => share * draws);
    const statistic = counts.reduce((sum, count, id) => sum + (count - expected[id]) ** 2 / expected[id], 0);
    expect(statistic).toBeLessThan(31.3); // 11 degrees of freedom, p = 0.001
  });
});

describe('tokenLogProbs', () => {
  beforeAll(() => useBackend('embedded'));

  it('takes as much memory for a large vocabulary as for a small one', () => {
    const { memory } = (engine().backend as EmbeddedBackend).library;
    const allocate = vi.spyOn(memory, 'allocate');
    const bytesFor = (vocab: number) => {
      const weight = tensor2d(noise(1, vocab * 4), [vocab, 4]);
      const hidden = tensor2d(noise(2, 8), [2, 4]);
      allocate.mockClear();
      tidy(() => tokenLogProbs(hidden, weight, tensor1d([1, vocab - 1], 'int32')));
      dispose([weight, hidden]);
      return allocate.mock.calls.reduce((sum, [bytes]) => sum + bytes, 0);
    };
    expect(bytesFor(40_000)).toBe(bytesFor(2000));
    allocate.mockRestore();
  });
});
