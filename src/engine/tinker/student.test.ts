import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentInput } from '../../config/experiment';
import { defaultLora } from '../../config/lora';
import { tinyExperiment } from '../../curriculum/testing/tiny';
import type { Episode, Example } from '../../engine-data/examples';
import type { SampleOptions } from '../../engine-data/sampling';
import type { GrpoOptions } from '../../engine-data/training';
import { useBackend } from '../../kernels/backends';
import { grpoStep, policyLogProbs } from '../../learning/grpo';
import { createOptimizer } from '../../learning/optimizer';
import { supervisedStep } from '../../learning/supervised';
import { plainGrpo } from '../../learning/testing/settings';
import { lossNames } from '../../losses';
import { fingerprint } from '../../model/fingerprint';
import { saveStudent } from '../../model/hf-folder';
import { createAdapter } from '../../model/lora';
import { readAdapter } from '../../model/lora-files';
import { copyModel } from '../../model/testing/copy';
import { createModel, type Model } from '../../model/transformer';
import { Random } from '../../random';
import { spentSchema } from '../../spent';
import { parseModelConfig } from '../../student-files/config';
import { tinyConfig } from '../../student-files/testing/tiny';
import { startTinker } from './engine';
import { Meter, parsePrices } from './meter';
import { TestServer, type Ways } from './testing/server';

const json = tinyConfig('llama', { vocab_size: 128 });
let base: Model;
let server: TestServer | undefined;

beforeAll(async () => {
  await useBackend('embedded');
  base = createModel(parseModelConfig(json), 1);
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const lora = { ...defaultLora, rank: 4, dropout: 0 };

/** A student on a test server, and the same student here. */
async function both(ways: Ways = {}) {
  server = await TestServer.start(base, ways);
  const folder = mkdtempSync(join(tmpdir(), 'distillery-tinker-student-'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json));
  const engine = await startTinker({ url: server.url, key: undefined });
  const remote = await engine.open(folder, { lora, seed: 5 });
  const local = copyModel(base);
  local.adapter = createAdapter(local.config, { ...defaultLora, rank: 4 }, { path: '', fingerprint: '' }, 5);
  return { engine, remote, local, folder };
}

const random = new Random(7);
const ids = (count: number) => Array.from({ length: count }, () => 5 + Math.floor(random.uniform() * 100));
const examples: Example[] = [
  { prompt: ids(4), completion: ids(7) },
  { prompt: ids(3), completion: ids(12) },
  { prompt: ids(6), completion: ids(2) },
  { prompt: ids(5), completion: ids(9) },
];
const settings = { weightDecay: 0.01, maxGradNorm: 1, dropout: 0, microBatchTokens: 40 };
const grpo: GrpoOptions = {
  ...plainGrpo,
  ...settings,
  loss: 'dapo',
  beta: 0.05,
  maxNewTokens: 16,
  iterations: 2,
  minibatches: 2,
  replayWeight: 0.3,
};

const scores = (model: Model) => policyLogProbs(model, examples, { temperature: 1, microBatchTokens: 400 });

function cosine(a: readonly Float32Array[], b: readonly Float32Array[], from: readonly Float32Array[]) {
  const change = (rows: readonly Float32Array[]) =>
    rows.flatMap((row, i) => Array.from(row, (value, j) => value - from[i][j]));
  const [x, y] = [change(a), change(b)];
  const dot = (u: number[], v: number[]) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  return { cosine: dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)), ratio: Math.sqrt(dot(x, x) / dot(y, y)) };
}

function expectClose(rows: readonly Float32Array[], wanted: readonly Float32Array[]): void {
  expect(rows.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
  for (const [i, row] of rows.entries())
    for (const [j, value] of row.entries()) expect(value).toBeCloseTo(wanted[i][j], 4);
}

describe.each([false, true])('a server that divides: %s', (divides) => {
  it('learns from every loss what the embedded engine learns', async () => {
    const { engine, remote, local } = await both({ divides });
    const before = await scores(local);
    const episodes = before.map(
      (logProbs, i): Episode => ({
        ...examples[i],
        logProbs: logProbs.map((value) => value + 0.3 * (random.uniform() - 0.5)),
        advantage: [1, -0.8, 0.5, -1.2][i],
        masked: i === 2,
      }),
    );
    const start = await remote.snapshot();
    for (const loss of lossNames) {
      await remote.restore(start);
      const here = copyModel(local);
      const update = { episodes, replay: [examples[3]], learningRate: 3e-3, seed: 1 };
      const there = await remote.grpoStep({ ...update, reference: start }, { ...grpo, loss });
      const mine = await grpoStep(
        here,
        createOptimizer(here),
        { ...update, reference: copyModel(local) },
        { ...grpo, loss },
      );
      const told = (await remote.logProbs(examples, { microBatchTokens: 400 })).map(({ logProbs }) => logProbs);
      const close = cosine(told, await scores(here), before);
      expect(close.cosine, loss).toBeGreaterThan(0.9999);
      expect(Math.abs(close.ratio - 1), loss).toBeLessThan(1e-2);
      expect(there.loss, loss).toBeCloseTo(mine.loss, 4);
      expect(there.kl, loss).toBeCloseTo(mine.kl!, 5);
      expect(there.replayLoss, loss).toBeCloseTo(mine.replayLoss!, 4);
      expect(there.tokens, loss).toBe(mine.tokens);
      expect(there.perToken.entropy).toBeNull();
    }
    await engine.close();
  });

  it('learns from examples what the embedded engine learns', async () => {
    const { engine, remote, local } = await both({ divides });
    const before = await scores(local);
    const step = { ...settings, learningRate: 3e-3, seed: 1 };
    const optimizer = createOptimizer(local);
    for (let i = 0; i < 3; i++) {
      const there = await remote.supervisedStep(examples, step);
      const mine = await supervisedStep(local, optimizer, examples, step.learningRate, step, 1);
      expect(there.loss).toBeCloseTo(mine.loss, 4);
    }
    const told = (await remote.logProbs(examples, { microBatchTokens: 400 })).map(({ logProbs }) => logProbs);
    expect(cosine(told, await scores(local), before).cosine).toBeGreaterThan(0.9999);
    await engine.close();
    expect(server!.unloaded.length).toBeGreaterThan(0);
  });
});

it('resumes from a checkpoint with the same result, and downloads its adapter', async () => {
  const { engine, remote, local, folder } = await both();
  const step = { ...settings, learningRate: 3e-3, seed: 1 };
  await remote.supervisedStep(examples, step);
  const checkpoint = mkdtempSync(join(tmpdir(), 'distillery-tinker-checkpoint-'));
  await remote.save(checkpoint, { moments: true, eosIds: [1] });
  const saved = (await remote.logProbs(examples, { microBatchTokens: 400 })).map(({ logProbs }) => logProbs);
  await remote.supervisedStep(examples, step);
  const on = await remote.loss(examples, { microBatchTokens: 400 });
  await remote.load(checkpoint, { moments: true, step: 1 });
  await remote.supervisedStep(examples, step);
  expect(await remote.loss(examples, { microBatchTokens: 400 })).toBe(on);
  const home = {
    ...local,
    adapter: readAdapter(checkpoint, local.config, { path: folder, fingerprint: fingerprint(base.parameters) }),
  };
  expectClose(await scores(home), saved);
  // As on a server that has lost its storage.
  writeFileSync(join(checkpoint, 'remote.json'), JSON.stringify({ url: '', path: 'tinker://m/weights/gone', step: 1 }));
  await expect(remote.load(checkpoint, { moments: true, step: 1 })).rejects.toMatchObject({
    message: expect.stringContaining(`server at ${server!.url} cannot load the weights of this checkpoint`),
    file: checkpoint,
    remedy: expect.stringContaining('start it with the storage that it had'),
  });
  await engine.close();
});

it('uses no weights after a step whose gradient failed, until others are loaded', async () => {
  const { engine, remote } = await both();
  const step = { ...settings, learningRate: 3e-3, seed: 1 };
  await remote.supervisedStep(examples, step);
  const folder = mkdtempSync(join(tmpdir(), 'distillery-tinker-checkpoint-'));
  await remote.save(folder, { moments: true, eosIds: [1] });
  const before = await remote.loss(examples, { microBatchTokens: 400 });
  server!.failures = 1;
  await expect(remote.supervisedStep(examples, step)).rejects.toThrow('no memory for this pass');
  for (const use of [
    () => remote.save(folder, { moments: true, eosIds: [1] }),
    () => remote.snapshot(),
    () => remote.loss(examples, { microBatchTokens: 400 }),
    () => remote.supervisedStep(examples, step),
  ])
    await expect(use()).rejects.toThrow('no memory for this pass');
  await remote.load(folder, { moments: true, step: 1 });
  expect(await remote.loss(examples, { microBatchTokens: 400 })).toBe(before);
  expect(remote.optimizerStep).toBe(1);
  await engine.close();
});

it('removes an adapter that computes something else here, and reports it', async () => {
  for (const [adapterConfig, stays] of [
    [{}, true],
    [{ lora_alpha: 4000 }, false],
  ] as const) {
    const warned: string[] = [];
    const { engine, folder } = await both({ adapterConfig });
    saveStudent(folder, base); // the base's weights are here, so that there is something to compare with
    const remote = await engine.open(folder, { lora, seed: 5, warn: (text) => warned.push(text) });
    await remote.supervisedStep(examples, { ...settings, learningRate: 3e-3, seed: 1 });
    const checkpoint = mkdtempSync(join(tmpdir(), 'distillery-tinker-checkpoint-'));
    await remote.save(checkpoint, { moments: true, eosIds: [1] });
    expect(existsSync(join(checkpoint, 'adapter_model.safetensors')), warned.join()).toBe(stays);
    const said = expect.stringMatching(/only on the server: it computes differently here: .* nats/);
    if (stays) expect(warned).not.toContainEqual(said);
    else expect(warned).toContainEqual(said);
    await engine.close();
    await server!.stop();
  }
});

it('samples what the seed says, up to an end token', async () => {
  const { engine, remote } = await both({ noForward: true });
  const options = {
    sampling: { temperature: 1, topK: 0, topP: 1, minP: 0 },
    maxNewTokens: 12,
    eosIds: [1, 9, 30],
    seed: 3,
  };
  const places: number[][][] = [];
  const progress: SampleOptions['progress'] = (drafts) =>
    places.push(drafts.map(({ prompt, completion }) => [prompt, completion]));
  const draw = () =>
    remote.sample([ids(3).fill(7), [8, 9, 10]], { ...options, groupSize: 3, stream: ['x', 1], progress });
  const [one, two] = [await draw(), await draw()];
  expect(one.completions).toEqual(two.completions);
  expect(one.completions.map(({ prompt, completion }) => [prompt, completion])).toEqual(
    [0, 1].flatMap((prompt) => [0, 1, 2].map((completion) => [prompt, completion])),
  );
  // Every draft is shown each time, in its place, whichever prompt was answered first.
  expect(places.length).toBeGreaterThan(0);
  for (const shown of places)
    expect(shown).toEqual(one.completions.map(({ prompt, completion }) => [prompt, completion]));
  const scored = await remote.logProbs(
    one.completions.map(({ prompt, tokens }) => ({
      prompt: [
        [7, 7, 7],
        [8, 9, 10],
      ][prompt],
      completion: tokens,
    })),
    { microBatchTokens: 400 },
  );
  expectClose(
    one.completions.map(({ logProbs }) => logProbs),
    scored.map(({ logProbs }) => logProbs),
  );
  await engine.close();
});

it('counts tokens by kind, and ends at a limit', async () => {
  const { engine, remote } = await both();
  const { prompt, sampled, trained } = engine.spent!;
  await remote.supervisedStep(examples, { ...settings, learningRate: 1e-3, seed: 1 });
  const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };
  await remote.sample([ids(6)], { sampling, maxNewTokens: 5, eosIds: [], seed: 1, groupSize: 2 });
  const read = examples.reduce((sum, one) => sum + one.prompt.length + one.completion.length - 1, 0);
  expect(engine.spent).toEqual({ prompt: prompt + read + 6, sampled: sampled + 10, trained: trained + read });
  engine.continueSpending!({ prompt: 1000, sampled: 0, trained: 2 });
  expect(engine.spent).toEqual({
    prompt: prompt + read + 1006,
    sampled: sampled + 10,
    trained: trained + read + 2,
  });
  await engine.close();
  const prices = parsePrices('prompt=1, sampled=2, trained=3, limit=0.000001', 'PRICES');
  await expect(startTinker({ url: server!.url, key: undefined, prices })).rejects.toThrow(
    /limit of 0.000001 .* reached/,
  );
  expect(() => parsePrices('prompt=1', 'PRICES')).toThrow('PRICES has no prices');
});

it('counts the money of a resumed run on, at the prices of each session', () => {
  const meter = new Meter({ prompt: 1, sampled: 2, trained: 3, limit: 6 });
  meter.count('sampled', 250_000);
  meter.continueFrom({ prompt: 1_000_000, sampled: 0, trained: 0, money: 5 });
  expect(meter.spent).toEqual({ prompt: 1_000_000, sampled: 250_000, trained: 0, money: 5.5 });
  expect(() => meter.check()).not.toThrow();
  meter.count('prompt', 500_000);
  expect(() => meter.check()).toThrow('the limit of 6 for the Tinker server is reached: 6.00 spent');
  const unpriced = new Meter({ prompt: 1, sampled: 2, trained: 3 });
  unpriced.continueFrom({ prompt: 1_000_000, sampled: 0, trained: 0 });
  expect(unpriced.spent.money).toBe(1);
});

it('keeps the money of earlier sessions in one without prices, whose tokens a later one counts', () => {
  const session = (prices: ConstructorParameters<typeof Meter>[0], before: Meter['spent'], sampled: number) => {
    const meter = new Meter(prices);
    meter.continueFrom(before);
    meter.count('sampled', sampled);
    return meter.spent;
  };
  const first = { prompt: 0, sampled: 2_000_000, trained: 0, money: 5 };
  const second = session(undefined, first, 1_000_000);
  const unpriced = { prompt: 0, sampled: 1_000_000, trained: 0 };
  expect(second).toEqual({ prompt: 0, sampled: 3_000_000, trained: 0, money: 5, unpriced });
  expect(spentSchema.parse(second)).toEqual(second);
  const third = session(undefined, second, 1_000_000);
  expect(third.unpriced!.sampled).toBe(2_000_000);
  const fourth = session({ prompt: 1, sampled: 2, trained: 3 }, third, 500_000);
  expect(fourth).toEqual({ prompt: 0, sampled: 4_500_000, trained: 0, money: 10 });
});

it('refuses settings that the server does not support, and names them', async () => {
  const { engine, remote } = await both({ dropsClipping: true, neverGreedy: true });
  const step = { ...settings, learningRate: 3e-3, seed: 1 };
  await expect(remote.supervisedStep(examples, step)).rejects.toThrow(/maxGradNorm is not supported/);
  await expect(remote.supervisedStep(examples, { ...step, maxGradNorm: 0, dropout: 0.1 })).rejects.toThrow(/dropout/);
  const greedy = { sampling: { temperature: 0, topK: 0, topP: 1, minP: 0 }, maxNewTokens: 4, eosIds: [1], seed: 3 };
  await expect(remote.sample([[5]], greedy)).rejects.toThrow(/temperature 0/);
  // Before a run, with the place in the file.
  const asked = (changes: Partial<ExperimentInput>) => () => engine.check!(tinyExperiment('/nowhere', changes));
  expect(asked({})).toThrow('stages.reconstruct.maxGradNorm is not supported');
  const off = { reconstruct: false, complete: false, rewrite: false } as const;
  const sft = { updates: 1, maxGradNorm: 0 };
  expect(asked({ stages: off, baselines: { sft: { updates: 1 } } })).toThrow('baselines.sft.maxGradNorm');
  expect(asked({ stages: off, baselines: { sft } })).toThrow('evaluation.temperature is not supported');
  expect(asked({ stages: off, baselines: { sft }, evaluation: { temperature: 1 } })).not.toThrow();
  await engine.close();
});

it('does not train on a server that forgets its moments', async () => {
  await expect(both({ forgetsMoments: true })).rejects.toThrow(
    /does not continue correctly from saved weights and moments/,
  );
});
