import { expect, it } from 'vitest';
import { rowsOfUpdate } from './order';

it('visits every row once an epoch, in another order each epoch, whatever the batch size', () => {
  const seen: number[] = [];
  for (let update = 0; update < 10; update++) seen.push(...rowsOfUpdate(20, update, { count: 6, seed: 1, salt: 'x' }));
  const epochs = [seen.slice(0, 20), seen.slice(20, 40), seen.slice(40, 60)];
  for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(epochs[0]).not.toEqual(epochs[1]);
  expect(rowsOfUpdate(20, 3, { count: 6, seed: 1, salt: 'x' })).toEqual(seen.slice(18, 24));
  expect(rowsOfUpdate(20, 3, { count: 6, seed: 2, salt: 'x' })).not.toEqual(seen.slice(18, 24));
});
