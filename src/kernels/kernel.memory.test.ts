import { dispose, engine, findBackend, memory, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { EmbeddedBackend } from './embedded/backend';
import { gradientKernelNames, kernelNames, tokenLogProbs } from './interface';
import { backendNames, switchTo } from './testing/backends';
import { kernelCalls } from './testing/calls';
import { tapeGradients } from './testing/gradient';
import { randomIds, randomTensor } from './testing/random';

it('the calls below are of every kernel', () => {
  const names = [...Object.values(kernelNames), ...Object.values(gradientKernelNames)];
  expect(Object.keys(kernelCalls).sort()).toEqual(names.sort());
});

describe.each(backendNames)('on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  it.each(Object.keys(kernelCalls))('%s leaves its outputs and no other tensors', (name) => {
    const before = memory();
    const { inputs, attrs, outputs, differentiable = [] } = kernelCalls[name]();
    const made = memory();
    const run = () => {
      const out = engine().runKernel(name, inputs, attrs) as Tensor | Tensor[];
      return Array.isArray(out) ? out : [out];
    };

    const out = run();
    expect(out.length).toBe(outputs);
    expect(memory().numTensors).toBe(made.numTensors + outputs);
    dispose(out);
    expect(memory().numDataBuffers).toBe(made.numDataBuffers);

    if (differentiable.length > 0) {
      const by = differentiable.map((input) => inputs[input]);
      const dy = randomTensor(1, out[0].shape as [number]);
      const grads = tapeGradients(() => run()[0], by, dy);
      expect(memory().numTensors).toBe(made.numTensors + 1 + by.length);
      dispose([dy, ...grads]);
    }
    dispose(inputs);
    expect(memory().numTensors).toBe(before.numTensors);
    expect(memory().numDataBuffers).toBe(before.numDataBuffers);
    expect(memory().numBytes).toBe(before.numBytes);
  });
});

describe.each(['embedded', 'embedded-wasm'] as const)('tokenLogProbs on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  // 300 tokens: the logits would take 0.6, 39 and 182 MB.
  it.each([512, 32_000, 152_000])(
    'needs no more, at %i words, than the gradient of the weight and a chunk',
    (vocab) => {
      const [n, d] = [300, 4];
      const inputs = [randomTensor(1, [n, d]), randomTensor(2, [vocab, d])];
      const [ids, dy] = [randomIds(3, n, vocab), randomTensor(4, [n])];
      const backend = findBackend(backendName) as EmbeddedBackend;
      const store = backend.library.memory;
      const gradients = () =>
        tapeGradients(() => tokenLogProbs(inputs[0] as Tensor2D, inputs[1] as Tensor2D, ids).logProbs, inputs, dy);
      dispose(gradients()); // what comes from outside now lies where kernels reach it

      const allocate = store.allocate.bind(store);
      const before = store.usage().used;
      let peak = before;
      const watch = vi.spyOn(store, 'allocate').mockImplementation((bytes) => {
        const block = allocate(bytes);
        peak = Math.max(peak, store.usage().used);
        return block;
      });
      const grads = gradients();
      watch.mockRestore();

      const gradientBytes = 4 * vocab * d;
      expect(peak - before).toBeGreaterThanOrEqual(gradientBytes);
      expect(peak - before - gradientBytes).toBeLessThan(4 * 2 ** 20);
      dispose([...grads, ...inputs, ids, dy]);
    },
  );
});
