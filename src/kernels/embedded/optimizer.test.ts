import { dispose, fill, memory, tensor1d } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../backends';
import { type AdamWOptions, adamW } from '../interface';

const options: AdamWOptions = {
  learningRate: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  weightDecay: 0.5,
  step: 1,
  gradScale: 1,
};

describe('AdamW', () => {
  beforeAll(() => useBackend('embedded'));

  it('updates in place: the tensors it returns hold the data it was given', () => {
    const before = memory().numTensors;
    const [p, g, m, v] = [tensor1d([1, -2]), tensor1d([0.5, -0.5]), fill([2], 0), fill([2], 0)];
    const [updated] = adamW([{ parameter: p, gradient: g, moment1: m, moment2: v }], options);
    expect([updated.parameter.dataId, updated.moment1.dataId]).toEqual([p.dataId, m.dataId]);
    dispose([p, m, v]);
    // The first step is the learning rate in the direction of the gradient, after a decay of 1 - 0.1 * 0.5.
    const [a, b] = updated.parameter.dataSync();
    expect(a).toBeCloseTo(0.95 - 0.1, 6);
    expect(b).toBeCloseTo(-1.9 + 0.1, 6);
    dispose([g, ...Object.values(updated)]);
    expect(memory().numTensors).toBe(before);
  });

  it('leaves a clone of the parameter alone', () => {
    const [p, g, m, v] = [tensor1d([1, -2]), tensor1d([0.5, -0.5]), fill([2], 0), fill([2], 0)];
    const kept = p.clone();
    const [updated] = adamW([{ parameter: p, gradient: g, moment1: m, moment2: v }], options);
    expect(Array.from(kept.dataSync())).toEqual([1, -2]);
    expect(updated.parameter.dataSync()[0]).toBeCloseTo(0.85, 6);
    dispose([p, g, m, v, kept, ...Object.values(updated)]);
  });

  it('never writes into an array that a caller handed in', () => {
    const mine = Float32Array.of(1, -2);
    const [p, g, m, v] = [tensor1d(mine), tensor1d([0.5, -0.5]), fill([2], 0), fill([2], 0)];
    const [updated] = adamW([{ parameter: p, gradient: g, moment1: m, moment2: v }], options);
    dispose([g, m, v, p, ...Object.values(updated)]);
    expect(Array.from(mine)).toEqual([1, -2]);
  });
});
