import { engine, fill, type NamedTensorMap, type Tensor, type Tensor2D, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { tokenLogProbs } from './interface';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { expectGradients } from './testing/gradient';
import { plainTokenLogProbs } from './testing/plain';
import { randomIds, randomTensor } from './testing/random';

describe.each(backendNames)('tokenLogProbs on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  it.each([
    { n: 1, d: 5, vocab: 7, temperature: 1 },
    { n: 31, d: 33, vocab: 7, temperature: 0.7 },
    { n: 65, d: 33, vocab: 513, temperature: 1 },
    { n: 2, d: 130, vocab: 513, temperature: 1.5 },
  ])('$n tokens of width $d, $vocab words, temperature $temperature', ({ n, d, vocab, temperature }) => {
    tidy(() => {
      const inputs = [randomTensor(30, [n, d]), randomTensor(31, [vocab, d], 0.5)];
      const ids = randomIds(32, n, vocab);
      const words = ids.dataSync();
      const kernel = (...[hidden, weight]: Tensor[]) =>
        tokenLogProbs(hidden as Tensor2D, weight as Tensor2D, ids, temperature).logProbs;
      const plain = (hidden: Float64Array, weight: Float64Array) =>
        plainTokenLogProbs(hidden, weight, words, temperature).logProbs;
      const [hidden, weight] = inputs.map((input) => input.dataSync());
      const expected = plainTokenLogProbs(hidden, weight, words, temperature);
      const { logProbs, entropy } = tokenLogProbs(inputs[0] as Tensor2D, inputs[1] as Tensor2D, ids, temperature);
      expectClose(logProbs, expected.logProbs, 1e-5, { what: 'logProbs' });
      expectClose(entropy, expected.entropy, 2e-5, { what: 'entropy' });
      expectGradients({ kernel, plain }, inputs, { samples: 4 });
    });
  });

  it('is finite for logits far apart, with probabilities that sum to one', () => {
    tidy(() => {
      const hidden = randomTensor(37, [7, 5], 40) as Tensor2D;
      const weight = randomTensor(38, [7, 5], 10) as Tensor2D;
      let mass = 0;
      for (let id = 0; id < 7; id++) {
        const { logProbs } = tokenLogProbs(hidden, weight, fill([7], id, 'int32'));
        mass += Math.exp(logProbs.dataSync()[3]);
      }
      expect(mass).toBeCloseTo(1, 5);
    });
  });
});

it('the reference gives the same whatever the chunk', async () => {
  await switchTo('cpu');
  tidy(() => {
    const [n, d, vocab] = [31, 5, 33];
    const [hidden, weight] = [randomTensor(33, [n, d]), randomTensor(34, [vocab, d])];
    const ids = randomIds(35, n, vocab);
    const all = (chunkRows: number) => {
      const run = (name: string, inputs: NamedTensorMap) =>
        engine().runKernel(name, inputs, { temperature: 0.8, chunkRows }) as unknown as Tensor[];
      const forward = run('TokenLogProbs', { hidden, weight, ids });
      const dy = randomTensor(36, [n]);
      return [...forward, ...run('TokenLogProbsGrad', { dy, hidden, weight, ids, lse: forward[2] })];
    };
    const whole = all(n);
    for (const chunkRows of [1, 7, 30]) {
      for (const [i, part] of all(chunkRows).entries()) expectClose(part, whole[i], 1e-6);
    }
  });
});
