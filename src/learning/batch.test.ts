import { setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, it } from 'vitest';
import { microBatches, packExamples } from './batch';

beforeAll(async () => {
  await setBackend('cpu');
});

it('packs inputs, the rows that predict, and targets without the prompt', () => {
  const packed = packExamples([
    { prompt: [1, 2, 3], completion: [4, 5] },
    { prompt: [6], completion: [7] },
  ]);
  expect([...packed.tokens.dataSync()]).toEqual([1, 2, 3, 4, 6]);
  expect([...packed.positions.dataSync()]).toEqual([0, 1, 2, 3, 0]);
  expect([...packed.starts.dataSync()]).toEqual([0, 4, 5]);
  expect([...packed.rows.dataSync()]).toEqual([2, 3, 4]);
  expect([...packed.targets.dataSync()]).toEqual([4, 5, 7]);
  expect([...packed.targetStarts.dataSync()]).toEqual([0, 2, 3]);
  expect(packed.parents).toBeNull();
  expect(() => packExamples([{ prompt: [], completion: [1] }])).toThrow(/prompt/);
});

it('neighbours with the same prompt share its tokens', () => {
  const packed = packExamples([
    { prompt: [9], completion: [8] },
    { prompt: [1, 2], completion: [3, 4] },
    { prompt: [1, 2], completion: [5] },
    { prompt: [1, 2], completion: [6, 7, 8] },
  ]);
  expect([...packed.tokens.dataSync()]).toEqual([9, 1, 2, 3, 6, 7]);
  expect([...packed.starts.dataSync()]).toEqual([0, 1, 3, 4, 4, 6]);
  expect([...packed.parents!.dataSync()]).toEqual([-1, -1, 1, 1, 1]);
  expect([...packed.positions.dataSync()]).toEqual([0, 0, 1, 2, 2, 3]);
  expect([...packed.rows.dataSync()]).toEqual([0, 2, 3, 2, 2, 4, 5]);
  expect([...packed.targets.dataSync()]).toEqual([8, 3, 4, 5, 6, 7, 8]);
  expect([...packed.targetStarts.dataSync()]).toEqual([0, 1, 3, 4, 7]);
});

it('splits by token budget, keeps the order, and gives a long item its own batch', () => {
  const item = (length: number) => ({ prompt: [0], completion: Array(length - 1).fill(1) });
  const sizes = microBatches([item(4), item(4), item(20), item(3)], 9).map((batch) => batch.length);
  expect(sizes).toEqual([2, 1, 1]);
});
