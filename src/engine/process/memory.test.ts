import { expect, it } from 'vitest';
import { totalOf } from '../../engine-data/memory';
import { memoryModel } from './memory';

const whole = {
  weights: 4000,
  trained: 4000,
  token: 100,
  tokenAgain: 30,
  target: 12,
  targets: 600,
  merged: 0,
  cache: 8,
  free: 9000,
  total: 10_000,
};
const adapted = { ...whole, weights: 4100, trained: 100, merged: 900 };
const model = memoryModel('cpu', (lora) => (lora ? adapted : whole));
const pass = { tokens: 10, targets: 5, checkpointing: false, accumulated: false };
const adapter = { rank: 4, targets: ['q' as const] };

it("adds up the engine's figures for its student", () => {
  const update = model.update({ lora: null, copies: 1 }, pass);
  expect(update).toMatchObject({ weights: 4000, copies: 4000, moments: 8000, gradients: 4000, activations: 1000 });
  expect(totalOf(update)).toBe(21_060);
  const again = model.update({ lora: adapter, copies: 0 }, { ...pass, targets: 100, checkpointing: true });
  expect(again).toMatchObject({ weights: 4100, moments: 200, activations: 300, vocabulary: 600 });
  const generation = { rows: 2, prompts: 1, promptTokens: 10, newTokens: 20 };
  expect(model.generation({ lora: adapter, copies: 0 }, generation, false)).toMatchObject({
    moments: 0,
    merged: 900,
    cache: 2 * (30 * 8 + 12),
  });
});

it('knows limits where the engine does', () => {
  expect(model.limits()).toEqual({ free: 9000, total: 10_000 });
  expect(memoryModel('cuda', () => ({ ...whole, free: null })).limits()).toBeNull();
});
