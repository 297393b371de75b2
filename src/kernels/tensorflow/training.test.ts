import { backend as currentBackend, memory, type Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Example } from '../../engine-data/examples';
import { createOptimizer, disposeOptimizer } from '../../learning/optimizer';
import { supervisedStep } from '../../learning/supervised';
import { createModel, disposeModel } from '../../model/transformer';
import { Random } from '../../random';
import { sample } from '../../rollout/sample';
import { parseModelConfig } from '../../student-files/config';
import { tinyConfig } from '../../student-files/testing/tiny';
import { switchTo, tensorFlowIsSetUp } from '../testing/backends';
import type { TensorFlowBackend } from './binding';

const handles = () => (currentBackend() as unknown as TensorFlowBackend).binding.getNumOfTensors();
const options = { dropout: 0.1, microBatchTokens: 64, weightDecay: 0.01, maxGradNorm: 1 };

describe.runIf(tensorFlowIsSetUp())('training on tensorflow', () => {
  beforeAll(() => switchTo('tensorflow'));

  it('holds no more tensors, of tfjs or of TensorFlow, after 200 steps with rollouts than after 10', async () => {
    const config = parseModelConfig(tinyConfig('qwen2', {}));
    const model = createModel(config, 1);
    const optimizer = createOptimizer(model);
    const random = new Random(1);
    const ids = (length: number) => Array.from({ length }, () => random.integer(0, config.vocabSize - 1));
    const seen: { tensors: number; handles: number }[] = [];
    let first = 0;
    let loss = 0;
    for (let step = 0; step < 200; step++) {
      const examples: Example[] = [3, 9, 5].map((length) => ({ prompt: ids(2), completion: Array(length).fill(7) }));
      ({ loss } = await supervisedStep(model, optimizer, examples, 1e-2, options, step));
      first ||= loss;
      const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };
      if (step % 10 === 9) {
        await sample(model, [ids(3), ids(4)], { sampling, maxNewTokens: 4, eosIds: [], seed: step, groupSize: 2 });
        seen.push({ tensors: memory().numTensors, handles: handles() });
      }
    }
    expect(loss).toBeLessThan(first / 2);
    expect(seen[seen.length - 1].tensors).toBe(seen[0].tensors);
    // Shapes that are kept as constants are few, and come with lengths not seen before.
    expect(seen[seen.length - 1].handles - seen[0].handles).toBeLessThan(60);
    disposeModel(model);
    disposeOptimizer(optimizer);
  });

  it('reads nothing back within a step but the loss and the gradient norm', async () => {
    const model = createModel(parseModelConfig(tinyConfig('qwen2', {})), 1);
    const optimizer = createOptimizer(model);
    const backend = currentBackend() as unknown as TensorFlowBackend & { binding: object };
    const { binding } = backend;
    let reads = 0;
    backend.binding = Object.create(binding, {
      tensorDataSync: {
        value: (id: number) => {
          reads++;
          return binding.tensorDataSync(id);
        },
      },
    });
    try {
      const examples: Example[] = [{ prompt: [1, 2], completion: [3, 4, 5] }];
      await supervisedStep(model, optimizer, examples, 1e-3, { ...options, microBatchTokens: 4096 }, 1);
      reads = 0;
      await supervisedStep(model, optimizer, examples, 1e-3, { ...options, microBatchTokens: 4096 }, 2);
      expect(reads).toBeLessThanOrEqual(5); // loss, norm; tokens, offsets and positions lie on the host
    } finally {
      backend.binding = binding;
      disposeModel(model);
      disposeOptimizer(optimizer);
    }
  });

  it('trains to the same bytes twice', async () => {
    const run = async () => {
      const model = createModel(parseModelConfig(tinyConfig('qwen2', {})), 1);
      const optimizer = createOptimizer(model);
      const examples: Example[] = [
        { prompt: [1, 2], completion: [3, 4, 5, 1, 1] },
        { prompt: [2], completion: [1] },
      ];
      for (let step = 0; step < 5; step++) await supervisedStep(model, optimizer, examples, 1e-2, options, step);
      const bytes = [...model.parameters.values()].map((parameter: Tensor) => [...parameter.dataSync()]);
      disposeModel(model);
      disposeOptimizer(optimizer);
      return bytes;
    };
    expect(await run()).toEqual(await run());
  });
});
