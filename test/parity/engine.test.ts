/** The PyTorch engine (python/) beside the embedded one: the same students, the same requests, the same numbers. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { python } from '../../scripts/peers/python';
import { startEngine } from '../../src/engine/engines';
import type { Engine, Snapshot, Student } from '../../src/engine/port';
import { ProcessEngine } from '../../src/engine/process/engine';
import { pythonEngine, readInstalledEngine } from '../../src/engine/process/installed';
import type { Episode, Example } from '../../src/engine-data/examples';
import type { GrpoOptions } from '../../src/engine-data/training';
import { plainGrpo } from '../../src/learning/testing/settings';
import { type LossType, lossNames } from '../../src/losses';
import type { KlEstimator } from '../../src/losses/kl';
import { tinyConfig, writeTinyFolder } from '../../src/model/gguf/testing/tiny';
import { livelyModel } from '../../src/model/testing/naive';
import { disposeModel } from '../../src/model/transformer';
import { packageRoot } from '../../src/paths';
import { Random } from '../../src/random';
import { openSafetensors } from '../../src/student-files/safetensors';

const interpreter = readInstalledEngine()?.python ?? python(['torch', 'transformers', 'peft', 'safetensors']);
if (!interpreter)
  process.stderr.write('NOT RUN: the PyTorch engine beside the embedded one, for want of such a Python\n');
const scratch = mkdtempSync(join(tmpdir(), 'distillery-engines-'));

const optimization = {
  weightDecay: 0.1,
  maxGradNorm: 1,
  adam: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
  dropout: 0,
  microBatchTokens: 96,
};
const grpo: GrpoOptions = {
  ...plainGrpo,
  ...optimization,
  loss: 'dapo',
  clipLow: 0.02,
  clipHigh: 0.03,
  temperature: 0.7,
  maxNewTokens: 24,
  replayWeight: 0,
};
const estimators: KlEstimator[] = ['k1', 'k2', 'k3+'];
const lora = { rank: 4, alpha: 8, dropout: 0, targets: ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const };

const students = ['built-in', 'llama', 'qwen2', 'qwen3'] as const;
const folders = new Map<string, string>();
let embedded: Engine;
let torch: Engine;

describe.skipIf(!interpreter)('the PyTorch engine', () => {
  beforeAll(async () => {
    folders.set('built-in', join(packageRoot(), 'examples', 'arithmetic', 'student'));
    embedded = await startEngine('embedded');
    for (const type of ['llama', 'qwen2', 'qwen3'] as const) {
      const model = livelyModel(tinyConfig(type), 3);
      folders.set(type, writeTinyFolder(join(scratch, type), model));
      disposeModel(model);
    }
    const command = pythonEngine(interpreter!, { origin: 'the test', vllm: false });
    const env = { ...command.env, OMP_NUM_THREADS: '1' };
    torch = await ProcessEngine.start({ ...command, env }, { client: 'test' });
  }, 240_000);
  afterAll(async () => {
    await embedded?.close();
    await torch?.close();
    rmSync(scratch, { recursive: true });
  });

  describe.each(students)('%s', (name) => {
    it('has the same logits at every token of the vocabulary, up to their sum', async () => {
      const [ours, theirs] = await open(name, null);
      const vocabulary = Array.from({ length: ours.facts.vocabSize }, (_, token) => [token]);
      expect(theirs.facts).toEqual(ours.facts);
      const examples = vocabulary.map((completion) => ({ prompt: [5, 9, 3, 7], completion }));
      const [a, b] = await both([ours, theirs], (student) => student.logProbs(examples, { microBatchTokens: 4096 }));
      expect(
        distance(
          a.map(({ logProbs }) => logProbs),
          b.map(({ logProbs }) => logProbs),
        ),
      ).toBeLessThan(1e-4);
    });

    describe.each([null, lora])('trained with adapter %o', (adapter) => {
      it('samples the same tokens, whose log-probabilities and entropies agree', async () => {
        const pair = await open(name, adapter);
        await move(pair);
        for (const temperature of [0, 0.7]) {
          const sampling = { temperature, topK: 20, topP: 0.95, minP: 0.01 };
          const options = { sampling, maxNewTokens: 24, eosIds: [0], seed: 7, stream: ['parity', 1], groupSize: 4 };
          const prompts = examplesOf(pair[0]).map(({ prompt }) => prompt);
          const [a, b] = await both(pair, async (student) => (await student.sample(prompts, options)).completions);
          expect(b.map(({ tokens }) => tokens)).toEqual(a.map(({ tokens }) => tokens));
          expect(b.map(({ finished }) => finished)).toEqual(a.map(({ finished }) => finished));
          expect(
            distance(
              a.map(({ logProbs }) => logProbs),
              b.map(({ logProbs }) => logProbs),
            ),
          ).toBeLessThan(1e-4);
          const sampled = a.map(({ prompt, tokens }) => ({ prompt: prompts[prompt], completion: tokens }));
          const [c, d] = await both(pair, (student) =>
            student.logProbs(sampled, { temperature: 0.7, microBatchTokens: 200 }),
          );
          for (const key of ['logProbs', 'entropy'] as const)
            expect(
              distance(
                c.map((one) => one[key]),
                d.map((one) => one[key]),
              ),
            ).toBeLessThan(1e-4);
        }
      });

      it('changes its weights alike in a supervised update', async () => {
        const pair = await open(name, adapter);
        const before = await weights(pair[0]);
        const examples = examplesOf(pair[0]);
        const [a, b] = await both(pair, (student) => student.supervisedStep(examples, { ...optimization, ...step }));
        expect(b.tokens).toBe(a.tokens);
        expect(Math.abs(b.loss - a.loss)).toBeLessThan(1e-4);
        expect(Math.abs(b.gradNorm! / a.gradNorm! - 1)).toBeLessThan(1e-3);
        compare(before, await weights(pair[0]), await weights(pair[1]));
      });

      const cases = [
        ...lossNames.flatMap((loss) => [0, 0.3].map((beta) => ({ loss, beta, kl: 'k3' as KlEstimator }))),
        ...estimators.map((kl) => ({ loss: 'dapo' as LossType, beta: 0.3, kl })),
      ];
      it.each(cases)('changes its weights alike in a GRPO update: $loss, KL $kl, weight $beta', async (more) => {
        const { pair, start, before, references, episodes } = await grpoScene(name, adapter);
        await both(pair, (student, i) => student.restore(start[i]));
        await both(pair, (student) => student.restartOptimizer());
        const replay = more.loss === 'dapo' ? examplesOf(pair[0]).slice(0, 2) : [];
        const options = { ...grpo, ...more, replayWeight: 0.5 };
        const [a, b] = await both(pair, (student, i) =>
          student.grpoStep({ episodes, replay, reference: references[i], ...step }, options),
        );
        const { perToken: ofOurs, ...ours } = a;
        const { perToken: ofTheirs, ...theirs } = b;
        expect(Object.keys(theirs).sort()).toEqual(Object.keys(ours).sort());
        for (const [key, value] of Object.entries(ours)) {
          const other = (theirs as unknown as Record<string, number>)[key];
          // A token at the edge of the range may fall on either side.
          const most = key.startsWith('clip') ? 0.02 : 1e-4 * Math.max(1, Math.abs(value));
          expect(Math.abs(other - value), `${key}: ${value} and ${other}`).toBeLessThanOrEqual(most);
        }
        expect(distance(ofOurs.entropy!, ofTheirs.entropy!)).toBeLessThan(1e-4);
        if (more.beta > 0) expect(distance(ofOurs.refLogProbs!, ofTheirs.refLogProbs!)).toBeLessThan(1e-4);
        compare(before, await weights(pair[0]), await weights(pair[1]));
      });

      it('continues from the other engine: weights and moments', async () => {
        const pair = await open(name, adapter);
        const examples = examplesOf(pair[0]);
        for (let i = 0; i < 2; i++)
          await both(pair, (student) => student.supervisedStep(examples, { ...optimization, ...step, seed: i }));
        const [there, back] = [join(scratch, 'there'), join(scratch, 'back')];
        await pair[0].save(there, { moments: true, eosIds: [0] });
        await pair[1].save(back, { moments: true, eosIds: [0] });
        await pair[1].load(there, { moments: true, step: 2 });
        await pair[0].load(back, { moments: true, step: 2 });
        const before = await weights(pair[0]);
        const losses = await both(pair, async (student) => {
          const { loss } = await student.supervisedStep(examples, { ...optimization, ...step, seed: 3 });
          return loss;
        });
        expect(Math.abs(losses[0] - losses[1])).toBeLessThan(1e-4);
        compare(before, await weights(pair[0]), await weights(pair[1]));
        for (const folder of [there, back]) rmSync(folder, { recursive: true });
      });
    });
  });
});

const step = { learningRate: 1e-3, seed: 3 };
type Pair = [Student, Student];
const opened = new Map<string, Pair>();

/** The student on both engines, in its initial state. */
async function open(name: string, adapter: typeof lora | null): Promise<Pair> {
  const options = { lora: adapter && { ...adapter, targets: [...adapter.targets] }, seed: 11 };
  const pair: Pair = [await embedded.open(folders.get(name)!, options), await torch.open(folders.get(name)!, options)];
  const key = `${name} ${adapter !== null}`;
  for (const student of opened.get(key) ?? []) await student.dispose();
  opened.set(key, pair);
  return pair;
}

async function both<T>(pair: Pair, work: (student: Student, i: number) => Promise<T>): Promise<[T, T]> {
  return [await work(pair[0], 0), await work(pair[1], 1)];
}

interface Scene {
  pair: Pair;
  start: [Snapshot, Snapshot];
  /** The weights at the start. */
  before: Map<string, Float32Array>;
  references: [Snapshot, Snapshot];
  episodes: Episode[];
}
const scenes = new Map<string, Promise<Scene>>();

/** A student that has moved away from its reference, and episodes whose log-probs at sampling are not quite its own. */
function grpoScene(name: string, adapter: typeof lora | null): Promise<Scene> {
  const key = `${name} ${adapter !== null}`;
  const made = scenes.get(key) ?? makeScene(name, adapter);
  scenes.set(key, made);
  return made;
}

async function makeScene(name: string, adapter: typeof lora | null): Promise<Scene> {
  const pair = await open(name, adapter);
  opened.delete(`${name} ${adapter !== null}`); // the scene keeps it
  const examples = examplesOf(pair[0]);
  const references = await both(pair, (student) => student.snapshot());
  await move(pair);
  const start = await both(pair, (student) => student.snapshot());
  const before = await weights(pair[0]);
  const scores = await pair[0].logProbs(examples, { temperature: grpo.temperature, microBatchTokens: 4096 });
  const random = new Random(5, 'episodes');
  const episodes = examples.map((example, i) => ({
    ...example,
    logProbs: scores[i].logProbs.map((value) => value + 0.05 * random.normal()),
    advantage: i === 4 ? 0 : random.normal(),
    masked: i === 2,
  }));
  return { pair, start, before, references, episodes };
}

/** Away from the first weights, to the very same ones on both engines. */
async function move([ours, theirs]: Pair): Promise<void> {
  for (let i = 0; i < 3; i++) await ours.supervisedStep(examplesOf(ours).slice(0, 3), { ...optimization, ...step });
  const shared = join(scratch, 'shared');
  await ours.save(shared, { moments: false, eosIds: [0] });
  await theirs.load(shared, { moments: false });
  rmSync(shared, { recursive: true });
}

function examplesOf({ facts }: Student): Example[] {
  const random = new Random(1, 'examples');
  const tokens = (most: number) =>
    Array.from({ length: random.integer(1, most) }, () => random.integer(1, facts.vocabSize - 1));
  return Array.from({ length: 8 }, () => ({ prompt: tokens(9), completion: tokens(20) }));
}

function distance(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  expect(b.map(({ length }) => length)).toEqual(a.map(({ length }) => length));
  let most = 0;
  a.forEach((row, i) => {
    for (let j = 0; j < row.length; j++) most = Math.max(most, Math.abs(row[j] - b[i][j]));
  });
  return most;
}

/** What is trained, by name. */
async function weights(student: Student): Promise<Map<string, Float32Array>> {
  const folder = mkdtempSync(join(scratch, 'weights-'));
  await student.save(folder, { moments: false, eosIds: [0] });
  const trained = student.facts.trainable < student.facts.parameters ? 'adapter_model' : 'model';
  const file = openSafetensors(join(folder, `${trained}.safetensors`));
  const found = new Map([...file.tensors.keys()].map((name) => [name, Float32Array.from(file.readFloats(name))]));
  file.close();
  rmSync(folder, { recursive: true });
  return found;
}

/** The change of all weights together: its direction and its length. */
function compare(before: Map<string, Float32Array>, a: Map<string, Float32Array>, b: Map<string, Float32Array>): void {
  expect([...b.keys()].sort()).toEqual([...a.keys()].sort());
  let [product, ofA, ofB] = [0, 0, 0];
  for (const [name, from] of before)
    from.forEach((value, i) => {
      const [x, y] = [a.get(name)![i] - value, b.get(name)![i] - value];
      product += x * y;
      ofA += x * x;
      ofB += y * y;
    });
  expect(ofA).toBeGreaterThan(0);
  expect(product / Math.sqrt(ofA * ofB)).toBeGreaterThan(0.9999);
  expect(Math.abs(Math.sqrt(ofB / ofA) - 1)).toBeLessThan(1e-3);
}
