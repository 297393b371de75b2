import { getBackend, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { UserError } from '../errors';
import { backendNames, listBackends, useBackend } from './backends';
import { rmsNorm } from './interface';

describe('useBackend', () => {
  test('makes a backend current, with all kernels', async () => {
    for (const name of ['embedded-wasm', 'cpu', 'embedded'] as const) {
      const info = await useBackend(name);
      expect(info.name).toBe(name);
      expect(getBackend()).toBe(name);
      const y = rmsNorm(tensor2d([[3, 4]]), tensor1d([1, 1]), { eps: 0, offset: 0 });
      expect(y.dataSync()[0]).toBeCloseTo(3 / Math.sqrt(12.5), 5);
    }
  });

  test('auto takes the embedded one where TensorFlow is not installed', async () => {
    const { name, description } = await useBackend('auto');
    expect(name).toBe('embedded');
    expect(description).toMatch(/^(native|WebAssembly) kernels, \w+, \d+ threads?$/);
  });

  test('a backend that is not installed is refused with the remedy, and the current one stays', async () => {
    await useBackend('cpu');
    const error = await useBackend('tensorflow-gpu').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(
      /Backend `tensorflow-gpu` cannot be used here: .*tfjs-node-gpu.*\n.*backend install --gpu/,
    );
    expect(getBackend()).toBe('cpu');
  });
});

describe('listBackends', () => {
  test('reports each, measures where asked, and leaves the current backend', async () => {
    await useBackend('cpu');
    const reports = await listBackends({ measure: true });
    expect(reports.map(({ name }) => name)).toEqual([...backendNames]);
    const byName = Object.fromEntries(reports.map((report) => [report.name, report]));
    expect(byName.embedded.usable).toBe(true);
    expect(byName.embedded.gflops).toBeGreaterThan(byName.cpu.gflops as number);
    expect(byName.tensorflow).toMatchObject({ usable: false, detail: expect.stringContaining('tfjs-node') });
    expect(reports.every(({ advice }) => advice.length > 0)).toBe(true);
    expect(getBackend()).toBe('cpu');
  });
});
