import { matMul, memory, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../src/kernels/backends';
import { applyGradients, createOptimizer, disposeOptimizer, type Gradients } from '../../src/learning/optimizer';
import { accumulateSupervised } from '../../src/learning/supervised';
import { fingerprint } from '../../src/model/fingerprint';
import { loadModel } from '../../src/model/hf-folder';
import { readAdapter } from '../../src/model/lora-files';
import { mergeAdapter } from '../../src/model/merge';
import { disposeModel, forward, headWeight, type Model, pack } from '../../src/model/transformer';
import { openSafetensors } from '../../src/student-files/safetensors';
import { backends, expectClose, fixture, readFixture, tolerance } from './fixtures';

interface Case {
  sequences: number[][];
  loss: number;
  adamw: { lr: number; betas: [number, number]; eps: number; weight_decay: number };
}
const cases = readFixture<Record<string, Case>>('lora/cases.json');

const logitsOf = (model: Model, sequences: number[][]) =>
  tidy(() => matMul(forward(model, pack(sequences)), headWeight(model), false, true).dataSync());

describe.each(backends)('on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(Object.entries(cases))(
    'the adapter %s computes and learns as with PEFT',
    async (name, { sequences, loss, adamw }) => {
      const before = memory().numTensors;
      const base = fixture('models', 'qwen2');
      const expected = openSafetensors(fixture('lora', name, 'expected.safetensors'));
      const model = loadModel(base);
      model.adapter = readAdapter(fixture('lora', name), model.config, {
        path: base,
        fingerprint: fingerprint(model.parameters),
      });
      expectClose(logitsOf(model, sequences), expected.readFloats('logits'), 'logits');

      // All tokens but the first are the completion: the loss is that of Hugging Face's models.
      const examples = sequences.map((ids) => ({ prompt: ids.slice(0, 1), completion: ids.slice(1) }));
      const settings = { dropout: 0, microBatchTokens: 1000, maxGradNorm: 0, weightDecay: adamw.weight_decay };
      const gradients: Gradients = new Map();
      const found = await accumulateSupervised(model, gradients, examples, settings, 1);
      expect(Math.abs(found - loss)).toBeLessThan(tolerance);
      const given = [...expected.tensors.keys()].filter((key) => key.startsWith('grad.'));
      expect([...gradients.keys()].map((key) => `grad.${key}`).sort()).toEqual(given.sort());
      for (const [key, gradient] of gradients)
        expectClose(gradient.dataSync(), expected.readFloats(`grad.${key}`), `gradient of ${key}`);

      const optimizer = createOptimizer(model);
      const [beta1, beta2] = adamw.betas;
      applyGradients(model, optimizer, gradients, adamw.lr, {
        ...settings,
        adam: { beta1, beta2, epsilon: adamw.eps },
      });
      for (const [key, parameter] of model.adapter.parameters)
        expectClose(parameter.dataSync(), expected.readFloats(`stepped.${key}`), `${key} after a step of AdamW`);

      const merged = mergeAdapter(model);
      const mergedLogits = logitsOf(merged, sequences);
      expectClose(mergedLogits, expected.readFloats('merged'), 'logits of the merged model');
      const own = logitsOf(model, sequences);
      expect(Math.max(...mergedLogits.map((value, i) => Math.abs(value - own[i])))).toBeLessThan(1e-5);

      disposeModel(merged);
      disposeModel(model);
      disposeOptimizer(optimizer);
      expected.close();
      expect(memory().numTensors).toBe(before);
    },
  );
});
