/**
 * SkyRL's Tinker server (JAX on the CPU) in training: a tiny Qwen3 goes through all stages, its loss falls, its reward
 * rises, and the gradient of every loss is that of the embedded engine's autograd. `npm run test:engines -- skyrl` runs
 * it; DISTILLERY_SKYRL_PYTHON names a Python with skyrl[tinker,jax], aiohttp and uv, DISTILLERY_PYTHON one with
 * transformers.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { add, keep, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../scripts/peers/peers';
import { defaultLora } from '../../src/config/lora';
import { startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import type { Engine, Student } from '../../src/engine/port';
import { TinkerClient } from '../../src/engine/tinker/client';
import { startTinker } from '../../src/engine/tinker/engine';
import type { Episode, Example } from '../../src/engine-data/examples';
import { grpoStep, policyLogProbs } from '../../src/learning/grpo';
import { createOptimizer } from '../../src/learning/optimizer';
import { plainGrpo } from '../../src/learning/testing/settings';
import { lossNames } from '../../src/losses';
import { fingerprint } from '../../src/model/fingerprint';
import { loadModel } from '../../src/model/hf-folder';
import type { Adapter } from '../../src/model/lora';
import { readAdapter } from '../../src/model/lora-files';
import { copyModel } from '../../src/model/testing/copy';
import type { Model } from '../../src/model/transformer';
import { packageRoot } from '../../src/paths';
import { Random } from '../../src/random';
import { openRun } from '../../src/runs/reading';
import { freePort } from '../../src/testing/ports';

const skyrl = process.env.DISTILLERY_ENGINES === '1' ? process.env.DISTILLERY_SKYRL_PYTHON : undefined;

/** JAX compiles for each new shape: rows are computed one at a time, and sampled in padded batches. */
const fewShapes = {
  max_lora_adapters: 8,
  max_lora_rank: 8,
  train_micro_batch_size: 1,
  sample_max_num_sequences: 4,
};
const quickJax = {
  JAX_PLATFORMS: 'cpu',
  JAX_COMPILATION_CACHE_DIR: join(cacheFolder(), 'jax'),
  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS: '0',
  XLA_FLAGS: '--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true',
};

let folder = '';
let student = '';
let url = '';
let engine: Engine;
let server: ChildProcess | undefined;

beforeAll(async () => {
  if (!skyrl) return;
  folder = await tinyWorkspace();
  student = join(folder, 'qwen3');
  const { vocab_size } = JSON.parse(readFileSync(join(folder, 'student', 'config.json'), 'utf8'));
  const program = join(packageRoot(), 'scripts', 'fixtures', 'tiny_family.py');
  execFileSync(process.env.DISTILLERY_PYTHON!, [program, 'qwen3', String(vocab_size), student, '0.3'], {
    stdio: 'pipe',
  });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(join(folder, 'student', name), join(student, name));
  url = await startSkyrl(skyrl);
  process.env.TINKER_BASE_URL = url;
  engine = await startTinker({ url, key: undefined });
}, 1_200_000);

afterAll(async () => {
  delete process.env.TINKER_BASE_URL;
  await engine?.close();
  if (server?.exitCode === null) {
    const ended = new Promise((resolve) => server!.once('exit', resolve));
    process.kill(-server.pid!, 'SIGKILL'); // its own group: uv, the server and its background engine
    await ended;
  }
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Starts a server for the student; its address. */
async function startSkyrl(python: string): Promise<string> {
  const port = await freePort();
  const place = mkdtempSync(join(folder, 'skyrl-'));
  const bin = dirname(python);
  const env = Object.assign({}, process.env, quickJax, {
    HF_HUB_OFFLINE: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
    UV_OFFLINE: '1',
    VIRTUAL_ENV: dirname(bin),
    PATH: `${bin}:${process.env.PATH}`,
  });
  const backend = ['--backend', 'jax', '--backend-config', JSON.stringify(fewShapes)];
  const storage = ['--checkpoints-base', join(place, 'ckpt'), '--database-url', `sqlite:///${join(place, 'db')}`];
  const address = ['--host', '127.0.0.1', '--port', String(port)];
  const line = ['run', '--no-project', '-m', 'skyrl.tinker.api', '--base-model', student];
  server = spawn('uv', [...line, ...backend, ...address, ...storage], {
    cwd: place,
    env,
    stdio: 'ignore',
    detached: true,
  });
  const found = `http://127.0.0.1:${port}`;
  const client = new TinkerClient({ url: found, key: undefined });
  while (server.exitCode === null) {
    const models = await client.models().catch(() => []);
    if (models.length > 0) return found;
    await sleep(500);
  }
  throw new Error(`SkyRL ended with exit code ${server.exitCode}`);
}

const lora = { ...defaultLora, rank: 4, dropout: 0 };

async function opened(work: (student: Student) => Promise<void>): Promise<void> {
  const remote = await engine.open(student, { lora, seed: 5 });
  try {
    await work(remote);
  } finally {
    await remote.dispose();
  }
}

const random = new Random(7);
const ids = (count: number) => Array.from({ length: count }, () => 5 + Math.floor(random.uniform() * 25));
const examples: Example[] = [4, 3, 6, 5].map((length) => ({ prompt: ids(length), completion: ids(length + 3) }));
const settings = { weightDecay: 0, maxGradNorm: 0, dropout: 0, microBatchTokens: 400 };
/** AdamW whose step is the gradient times learningRate / epsilon, as long as gradients are small beside epsilon. */
const straight = { beta1: 0, beta2: 0, epsilon: 1e6 };

const logProbs = async (model: Model) =>
  (await policyLogProbs(model, examples, { temperature: 1, microBatchTokens: 400 })).map((row) => [...row]);
const remoteLogProbs = async (remote: Student) =>
  (await remote.logProbs(examples, { microBatchTokens: 400 })).flatMap((row) => [...row.logProbs]);

/** Projections that share one A in SkyRL's adapters (its `FusedLoRALinear`). */
const fused = [
  ['q_proj', 'k_proj', 'v_proj'],
  ['gate_proj', 'up_proj'],
];

/** A step on a shared A is the sum of the steps that its projections would take with separate ones. */
function shareSteps({ parameters }: Adapter, start: Adapter): void {
  for (const projections of fused)
    for (const first of [...parameters.keys()].filter((name) => name.endsWith(`.${projections[0]}.lora_A.weight`))) {
      const names = projections.map((projection) => first.replace(projections[0], projection));
      const step = (name: string) => sub(parameters.get(name)!, start.parameters.get(name)!);
      const shared = tidy(() => names.map(step).reduce((sum, one) => add(sum, one)));
      for (const name of names) parameters.set(name, keep(add<Tensor>(start.parameters.get(name)!, shared)));
    }
}

const dot = (u: number[], v: number[]) => u.reduce((sum, value, i) => sum + value * v[i], 0);

describe.skipIf(!skyrl)("SkyRL's server", () => {
  it("has autograd's gradient of every loss", { timeout: 1_200_000 }, async () => {
    await opened(async (remote) => {
      for (let i = 0; i < 3; i++) await remote.supervisedStep(examples, { ...settings, learningRate: 1e-2, seed: 1 });
      const checkpoint = mkdtempSync(join(folder, 'checkpoint-'));
      await remote.save(checkpoint, { moments: true, eosIds: [0] });
      const local = loadModel(student);
      const origin = { path: student, fingerprint: fingerprint(local.parameters) };
      const adapter = readAdapter(checkpoint, local.config, origin);
      local.adapter = adapter;
      const rows = await logProbs(local);
      const before = rows.flat();
      const remoteBefore = await remoteLogProbs(remote);
      for (const [i, value] of before.entries()) expect(remoteBefore[i]).toBeCloseTo(value, 4);
      const episodes = rows.map((row, i): Episode => {
        const sampled = Float32Array.from(row, (value) => value + 0.3 * (random.uniform() - 0.5));
        return { ...examples[i], logProbs: sampled, advantage: [1, -0.8, 0.5, -1.2][i], masked: i === 2 };
      });
      const start = await remote.snapshot();
      const update = { episodes, replay: [examples[3]], learningRate: 1e4, seed: 1, reference: null };
      for (const loss of lossNames) {
        await remote.restore(start);
        const options = { ...plainGrpo, ...settings, adam: straight, loss, maxNewTokens: 16 };
        await remote.grpoStep(update, options);
        const mine = copyModel(local);
        await grpoStep(mine, createOptimizer(mine), update, options);
        shareSteps(mine.adapter!, adapter);
        const x = (await remoteLogProbs(remote)).map((value, i) => value - remoteBefore[i]);
        const y = (await logProbs(mine)).flat().map((value, i) => value - before[i]);
        const [length, wanted] = [Math.sqrt(dot(x, x)), Math.sqrt(dot(y, y))];
        expect(dot(x, y) / (length * wanted), loss).toBeGreaterThan(0.99999);
        expect(length / wanted, loss).toBeCloseTo(1, 3);
      }
    });
  });

  it('lowers the loss of examples, and raises a reward', { timeout: 1_200_000 }, async () => {
    await opened(async (remote) => {
      const step = { ...settings, learningRate: 5e-2, seed: 1 };
      const first = (await remote.supervisedStep(examples, step)).loss;
      for (let i = 0; i < 20; i++) await remote.supervisedStep(examples, step);
      expect(await remote.loss(examples, { microBatchTokens: 400 })).toBeLessThan(first - 1);
    });
    await opened(async (remote) => {
      const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };
      const prompts = [examples[0].prompt, examples[1].prompt];
      const rewards: number[] = [];
      for (let update = 0; update < 12; update++) {
        const how = { sampling, maxNewTokens: 8, eosIds: [], seed: 1, groupSize: 8, stream: [update] };
        const { completions } = await remote.sample(prompts, how);
        const scored = completions.map(
          ({ tokens }) => tokens.filter((token) => token % 2 === 0).length / tokens.length,
        );
        const mean = scored.reduce((sum, reward) => sum + reward, 0) / scored.length;
        rewards.push(mean);
        const episodes = completions.map((one, i): Episode => {
          const { prompt, tokens: completion, logProbs } = one;
          return { prompt: prompts[prompt], completion, logProbs, advantage: 4 * (scored[i] - mean), masked: false };
        });
        const options = { ...plainGrpo, ...settings };
        await remote.grpoStep({ episodes, replay: [], reference: null, learningRate: 5e-2, seed: 1 }, options);
      }
      expect(rewards.at(-1)! - rewards[0]).toBeGreaterThan(0.2);
    });
  });

  it('runs all stages', { timeout: 1_200_000 }, async () => {
    const whole = tinyExperiment(folder, {
      backend: 'tinker',
      student: { path: 'qwen3', lora },
      evaluation: { every: 3, maxNewTokens: 12 },
    });
    const unclipped = JSON.parse(JSON.stringify(whole), (key, value) => (key === 'maxGradNorm' ? 0 : value));
    const session = { notify: () => {}, signal: new AbortController().signal };
    const { folder: run, rows } = await startRun(unclipped, join(folder, 'runs'), session);
    expect(openRun(run).record.state).toBe('finished');
    expect(rows.map(({ stage }) => stage)).toEqual(['base', 'sft', 'reconstruct', 'complete', 'rewrite']);
  });
});
