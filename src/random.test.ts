import { expect, it } from 'vitest';
import { bits, Random, uniform } from './random';

it('a stream draws what the function of its counters gives', () => {
  const stream = new Random(7, 'order', 3);
  const key = bits(7, 'order', 3);
  for (let i = 0; i < 100; i++) expect(stream.uniform()).toBe(uniform(key, i));
});
