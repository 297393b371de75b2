/**
 * Finds out what a server really does, by small experiments on a temporary adapter before a run. Servers of one API
 * normalize losses differently, and some silently ignore seeds, temperatures and optimizer settings. Takes about a
 * minute; the result is stored in the run's config.
 */
import type { Carrier } from './carrier';
import { rowOf } from './carrier';
import type { TinkerClient } from './client';
import { type AdamParams, RemoteModel } from './model';
import type { PassRow, TinkerLoss } from './wire';

export interface Probed {
  /** Two forward passes agree to 1e-4. */
  repeatable: boolean;
  /** The same seed gives the same tokens. */
  seeded: boolean;
  /** Temperature 0 gives the same tokens for every seed. */
  greedy: boolean;
  /** Log-probs at sampling agree with the trainer's to 1e-2. */
  samplerAgrees: boolean;
  /** How to send our gradients; null: no loss is exact. */
  carrier: Carrier | null;
  /** Learning rate, gradient clipping and weight decay have an effect. */
  learningRate: boolean;
  clipping: boolean;
  weightDecay: boolean;
  /** Training from saved weights and moments continues as if uninterrupted. */
  resumes: boolean;
}

/**
 * With beta 0 and a large epsilon AdamW's step is -(rate / epsilon) x gradient, which reveals the size of the gradient.
 */
const plainStep = (rate: number): AdamParams => ({
  learning_rate: rate,
  beta1: 0,
  beta2: 0,
  eps: 1e4,
  weight_decay: 0,
  grad_clip_norm: 0,
});

const usual: AdamParams = {
  learning_rate: 1e-2,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weight_decay: 0,
  grad_clip_norm: 0,
};

const sum = (values: Iterable<number>) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};
const near = (value: number, wanted: number) => Math.abs(value / wanted - 1) < 0.25;
const apart = (a: Float32Array, b: ArrayLike<number>) => Math.max(0, ...a.map((value, i) => Math.abs(value - b[i])));

export interface ProbeOptions {
  base: string;
  /** Settings of the temporary adapter. */
  rank: number;
  /** Token ids of two short texts of different length, which the student can read. */
  texts: readonly [readonly number[], readonly number[]];
}

export async function probe(client: TinkerClient, options: ProbeOptions): Promise<Probed> {
  const model = await RemoteModel.create(client, options.base, { rank: options.rank, seed: 1 });
  try {
    return await new Experiments(model, options).all();
  } finally {
    await model.unload();
  }
}

class Experiments {
  private readonly rows: [PassRow, PassRow];
  private rate = 1;

  constructor(
    private readonly model: RemoteModel,
    { texts }: ProbeOptions,
  ) {
    this.rows = texts.map((text) => rowOf({ prompt: text.slice(0, 1), completion: text.slice(1) })) as [
      PassRow,
      PassRow,
    ];
  }

  async all(): Promise<Probed> {
    const [one, two] = [await this.model.forward(this.rows), await this.model.forward(this.rows)];
    const repeatable = one.every((row, i) => apart(row, two[i]) < 1e-4);
    const sampling = await this.sampling();
    const carrier = (await this.crossEntropy()) ?? (await this.importanceSampling());
    const optimizer = carrier
      ? await this.optimizer(carrier)
      : { learningRate: false, clipping: false, weightDecay: false };
    return { repeatable, ...sampling, carrier, ...optimizer, resumes: await this.resumes() };
  }

  private async sampling() {
    const sampler = await this.model.sampler();
    const prompt = this.rows[0].tokens;
    const draw = (temperature: number, seed: number) =>
      sampler.sample(prompt, 2, { max_tokens: 12, temperature, seed, top_p: 1, top_k: -1, stop: [] });
    const text = (drawn: Awaited<ReturnType<typeof draw>>) => JSON.stringify(drawn.map(({ tokens }) => tokens));
    const [first, again, low, lower] = [await draw(1, 7), await draw(1, 7), await draw(0, 1), await draw(0, 2)];
    const drawn = first.filter(({ tokens }) => tokens.length > 0);
    const scored = await this.model.forward(drawn.map(({ tokens }) => rowOf({ prompt, completion: tokens })));
    const samplerAgrees = drawn.every(
      ({ logProbs, tokens }, i) => logProbs !== null && apart(scored[i].slice(-tokens.length), logProbs) < 1e-2,
    );
    return { seeded: text(first) === text(again), greedy: text(low) === text(lower), samplerAgrees };
  }

  /**
   * The effect of a step with these rows on the sum of the first text's log-probs, or of those tokens for which
   * `counts` is true.
   */
  private async effect(
    rows: readonly PassRow[],
    loss: TinkerLoss,
    adam = plainStep(this.rate),
    counts = (_: number) => true,
  ) {
    const total = async () => sum((await this.model.forward([this.rows[0]]))[0].filter((_, i) => counts(i)));
    const before = await total();
    await this.model.step(rows, loss, adam);
    return (await total()) - before;
  }

  /** A step size with a measurable, still nearly linear effect; false if there is none. */
  private async findRate(row: PassRow, loss: TinkerLoss): Promise<boolean> {
    this.rate = 1;
    for (let tries = 0; tries < 9; tries++) {
      const effect = Math.abs(await this.effect([row], loss));
      if (effect > 0.01 && effect < 0.1) return true;
      this.rate *= effect >= 0.1 ? 0.2 : 5;
    }
    return false;
  }

  private weighted = (row: PassRow, factor: number): PassRow => ({
    ...row,
    weights: row.weights.map((one) => one * factor),
  });

  /** A plain sum: twice the weight, or the row twice, has twice the effect, and a negative weight the opposite. */
  private async crossEntropy(): Promise<Carrier | null> {
    const [row] = this.rows;
    const loss = 'cross_entropy';
    if (!(await this.findRate(row, loss))) return null;
    const once = await this.effect([row], loss);
    const [double, twice, opposite] = [
      await this.effect([this.weighted(row, 2)], loss),
      await this.effect([row, row], loss),
      await this.effect([this.weighted(row, -1)], loss),
    ];
    const plain = near(double / once, 2) && near(twice / once, 2) && near(opposite / once, -1);
    return plain ? { loss, divided: false } : null;
  }

  private advised = (row: PassRow, logProbs: Float32Array, advantage: (token: number) => number): PassRow => ({
    ...row,
    logProbs: Array.from(logProbs),
    advantages: row.targets.map((_, i) => advantage(i)),
  });

  /** Either a plain sum or the mean over tokens and rows; anything else is not supported. */
  private async importanceSampling(): Promise<Carrier | null> {
    const loss = 'importance_sampling';
    const [row] = this.rows;
    const current = async (factor: number) => this.advised(row, (await this.model.forward([row]))[0], () => factor);
    if (!(await this.findRate(await current(1), loss))) return null;
    const once = await this.effect([await current(1)], loss);
    const [double, opposite, twice] = [
      await this.effect([await current(2)], loss),
      await this.effect([await current(-1)], loss),
      await this.effect([await current(1), await current(1)], loss),
    ];
    // Half of the row's tokens have weight: under a mean over weights, each of them has twice the effect.
    const whole = await current(1);
    const half = (i: number) => i < row.targets.length / 2;
    const ofHalf = (values: readonly number[]) => values.map((one, i) => (half(i) ? one : 0));
    const partly = { ...whole, advantages: ofHalf(whole.advantages ?? []) };
    const alone = await this.effect([partly], loss, plainStep(this.rate), half);
    const fewer = await this.effect([{ ...partly, weights: ofHalf(row.weights) }], loss, plainStep(this.rate), half);
    if (!near(double / once, 2) || !near(opposite / once, -1)) return null;
    if (near(twice / once, 2) && near(fewer / alone, 1)) return { loss, divided: false };
    const shares = row.targets.length / row.targets.filter((_, i) => half(i)).length;
    return near(twice / once, 1) && near(fewer / alone, shares) ? { loss, divided: true } : null;
  }

  private async optimizer({ loss }: Carrier) {
    const [row] = this.rows;
    const made = async () =>
      loss === 'cross_entropy' ? row : this.advised(row, (await this.model.forward([row]))[0], () => 1);
    const once = await this.effect([await made()], loss);
    const double = await this.effect([await made()], loss, plainStep(2 * this.rate));
    const clipped = await this.effect([await made()], loss, { ...plainStep(this.rate), grad_clip_norm: 1e-6 });
    const silent = this.weighted(
      { ...row, advantages: row.targets.map(() => 0), logProbs: row.targets.map(() => 0) },
      0,
    );
    for (let i = 0; i < 3; i++) await this.model.step([await made()], loss, usual); // decay has an effect only on
    // nonzero weights
    const before = await this.model.forward(this.rows);
    await this.model.step([silent], 'cross_entropy', {
      ...usual,
      learning_rate: 1,
      weight_decay: 0.9,
      beta1: 0,
      eps: 1,
    });
    const after = await this.model.forward(this.rows);
    return {
      learningRate: near(double / once, 2),
      clipping: Math.abs(clipped) < Math.abs(once) / 3,
      weightDecay: after.some((values, i) => apart(values, before[i]) > 1e-3),
    };
  }

  private async resumes(): Promise<boolean> {
    const [row] = this.rows;
    await this.model.step([row], 'cross_entropy', usual);
    const saved = await this.model.save('distillery-probe');
    await this.model.step([row], 'cross_entropy', usual);
    const on = await this.model.forward(this.rows);
    const again = await this.model.loaded(saved, true);
    try {
      await again.step([row], 'cross_entropy', usual);
      const resumed = await again.forward(this.rows);
      return resumed.every((values, i) => apart(values, on[i]) < 1e-4);
    } finally {
      await again.unload();
    }
  }
}
