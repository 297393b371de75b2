import { type Tensor2D, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Sampling } from '../engine-data/sampling';
import { uniform } from '../random';
import { sampleToken } from './interface';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { plainSample } from './testing/plain-sampling';
import { randomTensor } from './testing/random';

const everything: Sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };

/** The ids drawn from one row of logits by these uniforms. */
function drawn(logits: number[], uniforms: number[], sampling: Partial<Sampling>): number[] {
  return tidy(() => {
    const rows = tensor2d(uniforms.map(() => logits));
    return [...sampleToken(rows, tensor1d(uniforms), { ...everything, ...sampling }).ids.dataSync()];
  });
}

const evenly = (count: number) => Array.from({ length: count }, (_, i) => (i + 0.5) / count);
const setOf = (ids: number[]) => [...new Set(ids)].sort((a, b) => a - b);

describe.each(backendNames)('sampleToken on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  it('draws tokens as often as the softmax says (chi-square)', () => {
    const logits = [0, 1.5, -2, 0.3, 0.3, -0.7, 2, -1, 0, 1, -3, 0.8, -0.2];
    const count = 26_000;
    const counts = logits.map(() => 0);
    for (let batch = 0; batch < 10; batch++) {
      const uniforms = Array.from({ length: count / 10 }, (_, i) => uniform(5, batch, i));
      for (const id of drawn(logits, uniforms, {})) counts[id]++;
    }
    const total = logits.reduce((mass, logit) => mass + Math.exp(logit), 0);
    const chiSquare = counts.reduce((sum, seen, id) => {
      const expected = (count * Math.exp(logits[id])) / total;
      return sum + (seen - expected) ** 2 / expected;
    }, 0);
    expect(chiSquare).toBeLessThan(32.9); // 12 degrees of freedom, p = 0.001
  });

  it.each([
    { vocab: 7 },
    { vocab: 513 },
    { vocab: 513, temperature: 0.6 },
    { vocab: 513, topK: 1 },
    { vocab: 513, topK: 40 },
    { vocab: 7, topK: 100 },
    { vocab: 513, topP: 0.9 },
    { vocab: 33, topP: 0.1 },
    { vocab: 513, minP: 0.05 },
    { vocab: 513, topK: 50, topP: 0.8, minP: 0.02, temperature: 1.3 },
    { vocab: 513, temperature: 0 },
  ])('agrees with the literal rules: %j', ({ vocab, ...given }) => {
    tidy(() => {
      const sampling = { ...everything, ...given };
      const rows = 31;
      const logits = randomTensor(40, [rows, vocab], 2) as Tensor2D;
      const values = logits.dataSync();
      const uniforms = Array.from({ length: rows }, (_, i) => uniform(41, i));
      const { ids, logProbs } = sampleToken(logits, tensor1d(uniforms), sampling);
      const [drawnIds, drawnLogProbs] = [ids.dataSync(), logProbs.dataSync()];
      let clear = 0;
      uniforms.forEach((u, row) => {
        const expected = plainSample(values.slice(row * vocab, (row + 1) * vocab), u, sampling);
        if (expected.margin < 1e-5) return;
        clear++;
        expect(drawnIds[row]).toBe(expected.id);
        expectClose([drawnLogProbs[row]], [expected.logProb], 1e-5, { floor: 1 });
      });
      expect(clear).toBeGreaterThan(rows * 0.8);
      expect(ids.dtype).toBe('int32');
    });
  });

  it('keeps the lower ids of equal tokens', () => {
    expect(setOf(drawn([1, 1, 1, 1], evenly(40), { topK: 2 }))).toEqual([0, 1]);
    expect(setOf(drawn([1, 1, 1, 1], evenly(40), { topP: 0.6 }))).toEqual([0, 1, 2]);
    expect(setOf(drawn([0, 3, 3, 1], evenly(40), { topK: 1 }))).toEqual([1]);
    expect(drawn([0, 2, 2], [0.9], { temperature: 0 })).toEqual([1]);
  });

  it('keeps the most likely token whatever the filters', () => {
    expect(setOf(drawn([0, 1, 5], evenly(20), { topP: 0, minP: 1 }))).toEqual([2]);
  });

  it('keeps tokens of at least minP times the top probability', () => {
    const logits = [1, 0.5, 0.26, 0.24, 0.1].map(Math.log);
    expect(setOf(drawn(logits, evenly(200), { minP: 0.25 }))).toEqual([0, 1, 2]);
  });

  it('draws no token of probability 0, even for the largest uniform', () => {
    const logits = [-Infinity, 0, 0, -Infinity];
    expect(drawn(logits, [0, 0.4999, 0.5001, 1 - 2 ** -24], {})).toEqual([1, 1, 2, 2]);
    const long = Array.from({ length: 513 }, (_, i) => (i < 500 ? Math.sin(i) : -200));
    expect(drawn(long, [1 - 2 ** -24], { minP: 1e-6 })[0]).toBeLessThan(500);
  });

  it('reports log-probabilities before filtering, at temperature 1 when greedy', () => {
    tidy(() => {
      const logits = tensor2d([[2, 1, 0]]);
      const lse = Math.log(Math.E ** 2 + Math.E + 1);
      const filtered = sampleToken(logits, tensor1d([0.5]), { ...everything, topK: 1 });
      expectClose(filtered.logProbs, [2 - lse], 1e-6);
      const greedy = sampleToken(logits, tensor1d([0.5]), { ...everything, temperature: 0 });
      expectClose(greedy.logProbs, [2 - lse], 1e-6);
    });
  });
});
