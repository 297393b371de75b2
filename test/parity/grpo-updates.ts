/**
 * Whole updates of TRL's GRPOTrainer.train(), recorded by scripts/fixtures/grpo_updates.py, made again here from the
 * same start.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdamSettings } from '../../src/config/adam';
import { type AdvantageScale, groupAdvantages } from '../../src/curriculum/training/advantages';
import { measureGroups, type ScoredGroup, type ScoredSample } from '../../src/curriculum/training/groups';
import type { Episode } from '../../src/engine-data/examples';
import type { GrpoOptions } from '../../src/engine-data/training';
import { grpoStep, policyLogProbs } from '../../src/learning/grpo';
import { createOptimizer, disposeOptimizer } from '../../src/learning/optimizer';
import { loadModel } from '../../src/model/hf-folder';
import { disposeModel, type Model } from '../../src/model/transformer';
import { packageRoot } from '../../src/paths';
import { mean } from '../../src/statistics';

/** What TRL logs, by our names. */
export const logged = [
  'loss',
  'gradNorm',
  'entropy',
  'kl',
  'clipLow',
  'clipHigh',
  'reward',
  'rewardStd',
  'flatGroups',
  'lengthMean',
  'truncated',
] as const;
export type Logged = (typeof logged)[number];

export interface UpdateCase
  extends Pick<GrpoOptions, 'loss' | 'clipLow' | 'clipHigh' | 'sapoTemperature' | 'beta' | 'iterations'> {
  name: string;
  rewards: number[][];
  scale: AdvantageScale;
  maskTruncated: boolean;
  updates: number;
  /** Indices of the completions that share one. */
  microBatches: number[][];
  adam: AdamSettings;
  /** A value for each optimizer step; of samples, one for each sampling. */
  logs: Partial<Record<Logged, number[]>>;
  /** Norm of the weights' change divided by the learning rate, and every `stride`-th value of it (float16, base64). */
  changeNorm: number;
  change: string;
}

interface Shared {
  versions: Record<string, string>;
  stride: number;
  temperature: number;
  learningRate: number;
  weightDecay: number;
  maxGradNorm: number;
  maxLength: number;
  eos: number;
  prompts: number[][];
  completions: number[][][];
  parameters: string[];
}

/** How an update here compares with TRL's. */
export interface Compared {
  /** Cosine of the angle between the two changes of the weights, over the recorded values. */
  cosine: number;
  /** Norm of our change divided by that of theirs, over all weights. */
  normRatio: number;
  /** Ours and theirs, a pair for each update: means over its optimizer steps. */
  pairs: Partial<Record<Logged, [ours: number | undefined, theirs: number][]>>;
}

export function readUpdates(): { shared: Shared; cases: UpdateCase[] } {
  return JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/parity/grpo-updates.json'), 'utf8'));
}

export async function compareUpdates(shared: Shared, one: UpdateCase): Promise<Compared> {
  const open = () => loadModel(join(packageRoot(), 'test/fixtures/parity/student'));
  const [model, reference] = [open(), one.beta > 0 ? open() : null];
  const optimizer = createOptimizer(model);
  const before = weightsOf(model, shared);
  const groups = groupsOf(shared, one);
  const ours: Record<string, number>[] = [];
  const { options, order } = settingsOf(shared, one);
  for (let update = 0; update < one.updates; update++) {
    const episodes = await episodesOf(model, groups, { ...options, maskTruncated: one.maskTruncated });
    const { perToken: _, ...measures } = await grpoStep(
      model,
      optimizer,
      { episodes: order.map((i) => episodes[i]), reference, learningRate: shared.learningRate, seed: 1 },
      options,
    );
    const { parts: __, ...measured } = measureGroups(groups);
    ours.push({ ...measures, ...measured });
  }
  const change = weightsOf(model, shared).map((value, i) => (value - before[i]) / shared.learningRate);
  disposeOptimizer(optimizer);
  disposeModel(model);
  if (reference) disposeModel(reference);
  const theirs = halves(one.change);
  const sampled = theirs.map((_, i) => change[i * shared.stride]);
  return {
    cosine: dot(sampled, theirs) / Math.sqrt(dot(sampled, sampled) * dot(theirs, theirs)),
    normRatio: Math.sqrt(dot(change, change)) / one.changeNorm,
    pairs: Object.fromEntries(
      Object.entries(one.logs).map(([name, values]) => [
        name,
        ours.map((measures, update) => {
          const count = values.length / one.updates;
          const steps = values.slice(update * count, (update + 1) * count);
          return [measures[name], mean(steps)];
        }),
      ]),
    ),
  };
}

/** The options of the loss, and the completions in an order whose micro-batches are TRL's. */
function settingsOf(shared: Shared, one: UpdateCase) {
  const sizes = shared.completions.flatMap((rows, p) => rows.map((row) => shared.prompts[p].length + row.length));
  const parts = one.microBatches
    .map((indices) => ({ indices, size: indices.reduce((sum, i) => sum + sizes[i], 0) }))
    // The first one fills the room, so that the others fit and begin where they should.
    .sort((a, b) => b.size - a.size);
  const options: GrpoOptions = {
    ...one,
    dropout: 0,
    microBatchTokens: parts[0].size,
    weightDecay: shared.weightDecay,
    maxGradNorm: shared.maxGradNorm,
    kl: 'k3',
    temperature: shared.temperature,
    maxNewTokens: shared.maxLength,
    minibatches: 1,
    policyWeight: 1,
    replayWeight: 0,
  };
  return { options, order: parts.flatMap(({ indices }) => indices) };
}

/** The recorded completions as what the measures of an update read; a reward counts as right where it is above 0. */
function groupsOf({ prompts, completions, eos }: Shared, { rewards, scale }: UpdateCase): ScoredGroup[] {
  const advantages = groupAdvantages(rewards, scale);
  return prompts.map((prompt, p) => ({
    row: p,
    prompt,
    lesson: null as never, // no measure reads it
    samples: completions[p].map(
      (tokens, i): ScoredSample => ({
        tokens,
        logProbs: new Float32Array(tokens.length),
        finished: tokens.at(-1) === eos,
        text: '',
        answer: null,
        correct: rewards[p][i] > 0,
        score: { total: rewards[p][i], parts: {}, failures: {} } as ScoredSample['score'],
        advantage: advantages[p][i],
      }),
    ),
  }));
}

async function episodesOf(
  model: Model,
  groups: ScoredGroup[],
  options: { temperature: number; microBatchTokens: number; maskTruncated: boolean },
): Promise<Episode[]> {
  const rows = groups.flatMap(({ prompt, samples }) =>
    samples.map(({ tokens, advantage, finished }) => ({
      prompt,
      completion: tokens,
      advantage,
      masked: options.maskTruncated && !finished,
    })),
  );
  const logProbs = await policyLogProbs(model, rows, options);
  return rows.map((row, i) => ({ ...row, logProbs: logProbs[i] }));
}

/** All weights, in the order in which the fixtures have them. */
function weightsOf(model: Model, { parameters }: Shared): Float64Array {
  const values = parameters.map((name) => model.parameters.get(name)!.dataSync() as Float32Array);
  const all = new Float64Array(values.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of values) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** IEEE 754 half-precision numbers. */
function halves(base64: string): number[] {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length / 2 }, (_, i) => {
    const bits = bytes.readUInt16LE(2 * i);
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  });
}
