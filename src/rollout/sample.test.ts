import { dispose, memory, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Completion, SampleOptions } from '../engine-data/sampling';
import { useBackend } from '../kernels/backends';
import { embed, tokenLogProbs } from '../kernels/interface';
import { tensorFlowIsSetUp } from '../kernels/testing/backends';
import { livelyModel, naiveLogits, naiveLogProb } from '../model/testing/naive';
import { forward, headWeight, type Model, modelFrom, pack } from '../model/transformer';
import { type ModelConfig, parseModelConfig } from '../student-files/config';
import { modelTypes } from '../student-files/families';
import type { JsonObject } from '../student-files/files';
import { type TinyType, tinyConfig, withLayers } from '../student-files/testing/tiny';
import { sample } from './sample';

const prompts = [[3, 14, 15, 9, 26], [35], [8, 9, 7], [9, 32, 38, 46, 26, 43, 38]];
const plain = { temperature: 1, topK: 0, topP: 1, minP: 0 };
const options: SampleOptions = { sampling: plain, maxNewTokens: 9, eosIds: [], seed: 11 };
/** Biases under head norms: no family has them yet, and every decoder has to agree about their order. */
const both = 'biases and head norms';
type Kind = TinyType | typeof both;
const configOf = (kind: Kind, changes: JsonObject = {}): ModelConfig =>
  kind === both
    ? withLayers(parseModelConfig(tinyConfig('qwen3', changes)), { qkvBias: true })
    : parseModelConfig(tinyConfig(kind, changes));
const model = (kind: Kind = 'qwen2') => livelyModel(configOf(kind), 4);
const backends = ['cpu', 'embedded', 'embedded-wasm', ...(tensorFlowIsSetUp() ? ['tensorflow' as const] : [])] as const;
const kinds: Kind[] = [...modelTypes, both];
const tokensOf = (completions: Completion[]) => completions.map(({ tokens }) => tokens);

/** What the losses compute for the same tokens. */
function scored(of: Model, prompt: number[], tokens: number[], temperature: number): number[] {
  return tidy(() => {
    const rows = pack([tokens.map((_, i) => prompt.length - 1 + i)]).tokens;
    const hidden = embed(forward(of, pack([[...prompt, ...tokens]])), rows);
    return [...tokenLogProbs(hidden, headWeight(of), pack([tokens]).tokens, temperature).logProbs.dataSync()];
  });
}

describe.each(backends.flatMap((backend) => kinds.map((kind) => [backend, kind] as const)))(
  'on %s, a %s',
  (backend, type) => {
    beforeAll(async () => {
      await useBackend(backend);
    });

    it('decodes greedily over the cache as without one', async () => {
      const student = model(type);
      const { completions } = await sample(student, prompts, { ...options, sampling: { ...plain, temperature: 0 } });
      prompts.forEach((prompt, i) => {
        const sequence = [...prompt];
        for (let step = 0; step < 9; step++) {
          const last = naiveLogits(student, sequence)[sequence.length - 1];
          const best = last.indexOf(Math.max(...last));
          expect(completions[i].logProbs[step]).toBeCloseTo(naiveLogProb(last, best), 4);
          sequence.push(best);
        }
        expect([...prompt, ...completions[i].tokens]).toEqual(sequence);
      });
    });

    it('ends where the positions do, each prompt by itself, and draws the same until then', async () => {
      const short = livelyModel(configOf(type, { max_position_embeddings: 10 }), 4);
      const { completions } = await sample(short, prompts, options);
      expect(completions.map(({ tokens }) => tokens.length)).toEqual([5, 9, 7, 3]);
      expect(completions.every(({ finished }) => !finished)).toBe(true);
      const { completions: whole } = await sample(model(type), prompts, options);
      completions.forEach(({ tokens }, i) => {
        expect(tokens).toEqual(whole[i].tokens.slice(0, tokens.length));
      });
      const full = Array.from({ length: 10 }, () => 3);
      await expect(sample(short, [full], options)).rejects.toThrow(
        /11 tokens is longer than the student's 10 positions/,
      );
    });

    it('reports the log-probs that the losses compute', async () => {
      const student = model(type);
      const sampling = { temperature: 0.7, topK: 20, topP: 0.9, minP: 0.01 };
      const { completions } = await sample(student, prompts, { ...options, sampling, groupSize: 2 });
      for (const { prompt, tokens, logProbs } of completions)
        scored(student, prompts[prompt], tokens, 0.7).forEach((value, i) => {
          expect(Math.abs(value - logProbs[i])).toBeLessThan(1e-4);
        });
    });
  },
);

describe('on embedded', () => {
  beforeAll(async () => {
    await useBackend('embedded');
  });

  it('draws the same tokens however many rows are in flight, and others for another seed or stream', async () => {
    const student = model();
    const draw = async (changes: Partial<SampleOptions>) =>
      tokensOf(
        (await sample(student, prompts, { ...options, groupSize: 3, eosIds: [5, 17, 30], ...changes })).completions,
      );
    const first = await draw({});
    for (const maxRows of [1, 2, 3, 4, 7, 12, 100]) expect(await draw({ maxRows })).toEqual(first);
    expect(await draw({ seed: 12 })).not.toEqual(first);
    expect(await draw({ stream: ['complete', 3] })).not.toEqual(first);
    expect(new Set(first.slice(0, 3).map(String)).size).toBeGreaterThan(1); // a group's members differ
  });

  it('orders completions by prompt and index, and ends them by end token or budget', async () => {
    const eosIds = [5, 17, 30, 41];
    const { completions, summary } = await sample(model(), prompts, {
      ...options,
      eosIds,
      groupSize: 4,
      maxNewTokens: 12,
    });
    expect(completions.map(({ prompt, completion }) => [prompt, completion])).toEqual(
      prompts.flatMap((_, prompt) => [0, 1, 2, 3].map((completion) => [prompt, completion])),
    );
    for (const { tokens, logProbs, finished } of completions) {
      expect(logProbs.length).toBe(tokens.length);
      expect(tokens.slice(0, -1).some((token) => eosIds.includes(token))).toBe(false);
      expect(eosIds.includes(tokens[tokens.length - 1])).toBe(finished);
      expect(finished || tokens.length === 12).toBe(true);
    }
    expect(completions.some(({ finished }) => finished)).toBe(true);
    expect(completions.some(({ finished }) => !finished)).toBe(true);
    expect(summary.newTokens).toBe(completions.reduce((sum, { tokens }) => sum + tokens.length, 0));
    expect(summary.promptTokens).toBe(16);
  });

  it('samples one token when the budget is one, and nothing for no prompts', async () => {
    const { completions } = await sample(model(), prompts, { ...options, maxNewTokens: 1, groupSize: 2 });
    expect(completions.every(({ tokens }) => tokens.length === 1)).toBe(true);
    expect((await sample(model(), [], options)).completions).toEqual([]);
  });

  it('follows the distribution', async () => {
    const student = model();
    const n = 4000;
    const { completions } = await sample(student, [prompts[0]], {
      ...options,
      maxNewTokens: 1,
      groupSize: n,
      maxRows: n,
    });
    const counts = new Array<number>(53).fill(0);
    for (const { tokens } of completions) counts[tokens[0]]++;
    const last = naiveLogits(student, prompts[0])[prompts[0].length - 1];
    const chiSquare = counts.reduce((sum, count, token) => {
      const expected = n * Math.exp(naiveLogProb(last, token));
      return sum + (count - expected) ** 2 / expected;
    }, 0);
    expect(chiSquare).toBeLessThan(93); // 52 degrees of freedom: p = 0.0004
  });

  it('holds no tensor afterwards, also when it is aborted or fails', async () => {
    const student = model();
    await sample(student, prompts, options); // RoPE tables stay with the model
    const before = memory().numTensors;
    await sample(student, prompts, { ...options, groupSize: 2, maxRows: 3 });
    expect(memory().numTensors).toBe(before);
    await expect(sample(student, prompts, { ...options, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    expect(memory().numTensors).toBe(before);
  });

  it('stops soon after a signal, between two turns of the event loop', async () => {
    const controller = new AbortController();
    const long = sample(model(), prompts, { ...options, maxNewTokens: 400, groupSize: 4, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(long).rejects.toThrow('enough');
  });

  it('reports wrong prompts, budgets and weights', async () => {
    const student = model();
    await expect(sample(student, [[1], []], options)).rejects.toThrow(/no tokens/);
    await expect(sample(student, [[53]], options)).rejects.toThrow(/Token id 53/);
    await expect(sample(student, [[1]], { ...options, maxNewTokens: 0 })).rejects.toThrow(/budget/);
    const before = memory().numTensors;
    const broken = modelFrom(student.config, (_, shape) =>
      new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(Number.NaN),
    );
    await expect(sample(broken, [[1]], options)).rejects.toThrow(/not a number/);
    dispose([...broken.parameters.values(), broken.ropes![0].cos, broken.ropes![0].sin]);
    expect(memory().numTensors).toBe(before);
  });
});
