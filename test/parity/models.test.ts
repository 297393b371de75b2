import { dispose, engine, matMul, mean, memory, neg, type Scalar, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../src/kernels/backends';
import { embed, tokenLogProbs } from '../../src/kernels/interface';
import { loadModel } from '../../src/model/hf-folder';
import { disposeModel, forward, headWeight, type Model, pack } from '../../src/model/transformer';
import { openSafetensors } from '../../src/student-files/safetensors';
import { backends, expectClose, fixture, readFixture, tolerance } from './fixtures';

const cases = readFixture<Record<string, { sequences: number[][]; loss: number }>>('models/cases.json');

/** Mean cross-entropy of every token but the first of each sequence, as Hugging Face's models shift their labels. */
function crossEntropy(model: Model, sequences: number[][]): Scalar {
  return tidy(() => {
    const batch = pack(sequences);
    const starts = batch.starts.dataSync();
    const rows = sequences.flatMap((ids, i) => ids.slice(1).map((_, j) => starts[i] + j));
    const targets = tensor1d(
      sequences.flatMap((ids) => ids.slice(1)),
      'int32',
    );
    const hidden = embed(forward(model, batch), tensor1d(rows, 'int32'));
    return neg(mean(tokenLogProbs(hidden, headWeight(model), targets).logProbs)) as Scalar;
  });
}

describe.each(backends)('on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(Object.entries(cases))(
    '%s has the logits, loss and gradients of transformers',
    (name, { sequences, loss }) => {
      const before = memory().numTensors;
      const expected = openSafetensors(fixture('models', name, 'expected.safetensors'));
      const model = loadModel(fixture('models', name));
      const logits = tidy(() => matMul(forward(model, pack(sequences)), headWeight(model), false, true).dataSync());
      expectClose(logits, expected.readFloats('logits'), 'logits');

      const names = [...model.parameters.keys()];
      const { value, grads } = engine().gradients(() => crossEntropy(model, sequences), [...model.parameters.values()]);
      expect(Math.abs(value.dataSync()[0] - loss)).toBeLessThan(tolerance);
      const given = [...expected.tensors.keys()].filter((key) => key.startsWith('grad.'));
      if (given.length > 0) {
        expect(given.sort()).toEqual(names.map((key) => `grad.${key}`).sort());
        for (const [i, key] of names.entries())
          expectClose(grads[i].dataSync(), expected.readFloats(`grad.${key}`), key);
      }
      dispose([value, ...grads]);
      disposeModel(model);
      expected.close();
      expect(memory().numTensors).toBe(before);
    },
  );
});
