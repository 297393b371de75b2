/**
 * A student whose weights are on a Tinker server. Every loss is sent as its exact gradient with respect to each token's
 * log-probability.
 */
import { join } from 'node:path';
import { defaultAdam } from '../../config/adam';
import type { Episode, Example } from '../../engine-data/examples';
import { type Completion, type Draft, type SampleOptions, summaryOf } from '../../engine-data/sampling';
import {
  Diverged,
  type GrpoMeasures,
  type GrpoOptions,
  type OptimizerSettings,
  type SupervisedMeasures,
  type TokenMeasures,
} from '../../engine-data/training';
import { UserError } from '../../errors';
import { measuresOf, type StepResults } from '../../learning/grpo-measures';
import { passesOf } from '../../learning/grpo-pass';
import { bits } from '../../random';
import { copyCompanions } from '../../student-files/folder';
import { replaceText } from '../../writing';
import type { GrpoUpdate, LogProbOptions, Snapshot, Student, StudentFacts, SupervisedStep, TokenScores } from '../port';
import { downloadAdapter, removeAdapter } from './adapter';
import { carry, completionPart, rowOf } from './carrier';
import { type TinkerClient, TinkerError } from './client';
import { draftOf, emptyDraft } from './drafts';
import { Kept } from './kept';
import { checkLocally } from './local-check';
import type { AdamParams, RemoteModel, Sampler } from './model';
import type { Probed } from './probe';
import { readRemote, remoteFile } from './remote';
import { checkSampling, checkStep, checkTemperature } from './settings';
import { episodesGradient } from './token-gradient';
import type { TinkerPassResult } from './wire';

/** The connection of a student, and the probed properties of its server. */
export interface Home {
  client: TinkerClient;
  url: string;
  /** The local folder of the student: tokenizer, config. */
  folder: string;
  facts: StudentFacts;
  probed: Probed;
  warn: (text: string) => void;
  disposed: (student: TinkerStudent) => void;
}

/** Prompts sampled concurrently. */
const together = 64;
/** Rows per request: a server that averages over rows must see all of them in one. */
const mostRows = 1024;

export class TinkerStudent implements Student {
  optimizerStep = 0;
  private sampler: Sampler | null = null;
  private saves = 0;
  private compared = false;
  /** The failure of a step whose optimizer step the server may have made without its gradient. */
  private failed: unknown;

  constructor(
    private remote: RemoteModel,
    private readonly home: Home,
  ) {}

  /** After a failed step nothing is computed or saved with these weights; loading others is possible. */
  private get model(): RemoteModel {
    if (this.failed !== undefined) throw this.failed;
    return this.remote;
  }

  get facts(): StudentFacts {
    return this.home.facts;
  }

  async sample(prompts: readonly (readonly number[])[], options: SampleOptions) {
    checkSampling(options, this.home.probed);
    const started = performance.now();
    this.sampler ??= await this.model.sampler();
    const { groupSize = 1 } = options;
    const drafts = prompts.flatMap((_, prompt) => Array.from({ length: groupSize }, (_, i) => emptyDraft(prompt, i)));
    let next = 0;
    const worker = async () => {
      while (next < prompts.length) {
        const index = next++;
        const drawn = await this.sampleOne(prompts[index], index, options);
        drafts.splice(index * groupSize, groupSize, ...drawn);
        options.progress?.(drafts);
      }
    };
    await Promise.all(Array.from({ length: Math.min(together, prompts.length) }, worker));
    const completions = drafts.map((one): Completion => ({ ...one, logProbs: Float32Array.from(one.logProbs) }));
    await this.rescore(prompts, completions, options);
    return { completions, summary: summaryOf(prompts, completions, started) };
  }

  async logProbs(examples: readonly Example[], { temperature = 1, signal }: LogProbOptions): Promise<TokenScores[]> {
    checkTemperature(temperature);
    const scored = await this.score(this.model, examples, signal);
    return scored.map((logProbs) => ({ logProbs, entropy: new Float32Array(logProbs.length).fill(Number.NaN) }));
  }

  async loss(examples: readonly Example[], { signal }: Pick<LogProbOptions, 'signal'>): Promise<number> {
    return meanLoss(await this.score(this.model, examples, signal));
  }

  async supervisedStep(examples: readonly Example[], step: SupervisedStep): Promise<SupervisedMeasures> {
    checkStep(step, this.home.probed);
    const tokens = examples.reduce((count, { completion }) => count + completion.length, 0);
    const logProbs = await this.score(this.model, examples, step.signal);
    const loss = meanLoss(logProbs);
    if (!Number.isFinite(loss)) throw new Diverged('the loss');
    const slopes = examples.map(({ completion }) => completion.map(() => -1 / tokens));
    const gradNorm = await this.update(examples, slopes, logProbs, step);
    const read = examples.reduce((count, { prompt, completion }) => count + prompt.length + completion.length, 0);
    return { loss, gradNorm, tokens: read };
  }

  async grpoStep(update: GrpoUpdate, options: GrpoOptions): Promise<GrpoMeasures & { perToken: TokenMeasures }> {
    checkStep(options, this.home.probed);
    checkTemperature(options.temperature);
    const { episodes, replay, reference } = update;
    const policy = options.beta > 0 && reference ? await (reference as Kept).policy(this.model) : null;
    const refLogProbs = policy && (await this.score(policy, episodes, options.signal));
    const results: StepResults = {
      steps: options.iterations * options.minibatches,
      passes: [],
      replayLosses: [],
      gradNorms: [],
    };
    for (let step = 0; step < results.steps; step++) {
      const part = episodes.map((_, i) => i).filter((i) => i % options.minibatches === step % options.minibatches);
      const norm = await this.grpoPart(
        part,
        { ...update, refLogProbs },
        { ...options, ...signalOf(step, options) },
        results,
      );
      if (norm !== undefined) results.gradNorms.push(norm);
    }
    // A server reports no entropy, and not all report the gradient norm.
    const { entropy: _, gradNorm, ...measures } = measuresOf(results, replay, options);
    const reported = results.gradNorms.length > 0 ? { ...measures, gradNorm } : measures;
    return { ...reported, perToken: { entropy: null, refLogProbs } };
  }

  /** One optimizer step of an update, on the episodes with these indices and the replayed examples. */
  private async grpoPart(
    part: readonly number[],
    { episodes, replay, learningRate, refLogProbs }: GrpoUpdate & { refLogProbs: readonly Float32Array[] | null },
    options: GrpoOptions,
    results: StepResults,
  ): Promise<number | undefined> {
    const chosen = part.map((i) => episodes[i]);
    const replayed = options.replayWeight > 0 ? replay : [];
    const scored = await this.score(this.model, [...chosen, ...replayed], options.signal);
    const now = new Map<Episode, Float32Array>(chosen.map((episode, i) => [episode, scored[i]]));
    const reference = new Map(part.map((i) => [episodes[i], refLogProbs?.[i]]));
    const rows: { example: Example; slopes: ArrayLike<number>; logProbs: Float32Array }[] = [];
    for (const { batch, learns, shape } of passesOf(chosen, options)) {
      const logProbs = batch.map((episode) => now.get(episode)!);
      const referenceRows = refLogProbs && batch.map((episode) => reference.get(episode)!);
      const { positive: sapoPositive, negative: sapoNegative } = options.sapoTemperature;
      const gradient = episodesGradient(batch, logProbs, referenceRows, {
        ...options,
        ...shape,
        sapoPositive,
        sapoNegative,
      });
      const loss = gradient.loss * options.policyWeight;
      const read = batch.reduce((count, one) => count + one.prompt.length + one.completion.length - 1, 0);
      results.passes.push({ batch, loss, entropies: [], read, ...gradient.metrics });
      if (!learns) continue;
      batch.forEach((example, i) => {
        const slopes = gradient.slopes[i].map((slope) => slope * options.policyWeight);
        rows.push({ example, slopes, logProbs: logProbs[i] });
      });
    }
    if (replayed.length > 0) {
      const logProbs = scored.slice(chosen.length);
      const tokens = replayed.reduce((count, { completion }) => count + completion.length, 0);
      results.replayLosses.push(meanLoss(logProbs));
      replayed.forEach((example, i) => {
        const slopes = example.completion.map(() => -options.replayWeight / tokens);
        rows.push({ example, slopes, logProbs: logProbs[i] });
      });
    }
    if (!results.passes.every(({ loss }) => Number.isFinite(loss))) throw new Diverged('the loss');
    if (rows.length === 0) return undefined;
    const take = <K extends keyof (typeof rows)[number]>(name: K) => rows.map((row) => row[name]);
    return this.update(take('example'), take('slopes'), take('logProbs'), { ...options, learningRate });
  }

  async restartOptimizer(): Promise<void> {
    if (this.optimizerStep === 0) return;
    await this.become(await this.model.save(this.name('restart')), false);
    this.optimizerStep = 0;
  }

  async snapshot(checkpoint?: string): Promise<Snapshot> {
    if (checkpoint === undefined) return new Kept(await this.model.save(this.name('snapshot')));
    const { path } = readRemote(checkpoint);
    return new Kept(path, await this.loaded(checkpoint, this.remote.loaded(path, false)));
  }

  /** A server loads weights only into a new model, whose optimizer is new too. */
  async restore(snapshot: Snapshot): Promise<void> {
    await this.become((snapshot as Kept).path, false);
    this.optimizerStep = 0;
  }

  async save(folder: string): Promise<void> {
    const { client, url, folder: student, warn } = this.home;
    const path = await this.model.save(this.name('checkpoint'));
    copyCompanions(student, folder);
    replaceText(
      folder,
      join(folder, remoteFile),
      `${JSON.stringify({ url, path, step: this.optimizerStep }, null, 2)}\n`,
    );
    try {
      await downloadAdapter(client, await this.model.saveForDownload(this.name('adapter')), folder, student);
      await this.compareLocally(folder);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      warn(`the checkpoint's weights are only on the server: ${error.message}`);
    }
  }

  /** Checked once, as soon as an adapter is nonzero. An adapter that computes differently here is deleted again. */
  private async compareLocally(folder: string): Promise<void> {
    if (this.compared || this.optimizerStep === 0) return;
    try {
      await checkLocally(folder, (rows) => this.score(this.model, rows));
      this.compared = true;
    } catch (error) {
      removeAdapter(folder);
      throw error;
    }
  }

  async load(folder: string, options: { moments: false } | { moments: true; step: number }): Promise<void> {
    const { path } = readRemote(folder);
    await this.loaded(folder, this.become(path, options.moments));
    this.optimizerStep = options.moments ? options.step : 0;
  }

  async dispose(): Promise<void> {
    await this.remote.unload();
    this.home.disposed(this);
  }

  private async become(path: string, moments: boolean): Promise<void> {
    const next = await this.remote.loaded(path, moments);
    await this.remote.unload();
    this.remote = next;
    this.sampler = null;
    this.failed = undefined;
  }

  /** The result of loading a checkpoint. @throws UserError when the server no longer has its weights */
  private loaded<T>(checkpoint: string, loading: Promise<T>): Promise<T> {
    return loading.catch((error) => {
      throw error instanceof TinkerError ? weightsLost(checkpoint, this.home.url, error) : error;
    });
  }

  private name = (what: string) => `distillery-${what}-${Date.now().toString(36)}-${this.saves++}`;

  /** Log-probs of the completions' tokens. */
  private async score(model: RemoteModel, examples: readonly Example[], signal?: AbortSignal): Promise<Float32Array[]> {
    if (examples.length === 0) return [];
    const rows = await model.forward(examples.map(rowOf), signal);
    return rows.map((values, i) => completionPart(examples[i], values));
  }

  /** One AdamW step with these derivatives. Returns the gradient norm if the server reports it. */
  private async update(
    examples: readonly Example[],
    slopes: readonly ArrayLike<number>[],
    logProbs: readonly Float32Array[],
    settings: OptimizerSettings & { learningRate: number },
  ): Promise<number | undefined> {
    const carrier = this.home.probed.carrier!;
    if (carrier.divided && examples.length > mostRows)
      throw new UserError(`an update of ${examples.length} rows exceeds this server's request limit`, {
        code: 'config',
        remedy: 'Lower prompts, group or batch.',
      });
    const adam = adamOf(settings);
    const results = await this.model
      .step(carry(examples, slopes, logProbs, carrier), carrier.loss, adam)
      .catch((error) => {
        this.failed = error;
        throw error;
      });
    this.optimizerStep++;
    this.sampler = null;
    return gradNormIn(results);
  }

  private async sampleOne(prompt: readonly number[], index: number, options: SampleOptions): Promise<Draft[]> {
    const { sampling, seed, stream = [], signal, groupSize = 1, maxNewTokens, eosIds } = options;
    const maxCompletion = this.facts.maxPositions - prompt.length;
    if (prompt.length === 0 || maxCompletion < 1)
      throw new UserError(
        `a prompt has ${prompt.length} tokens, and the student has ${this.facts.maxPositions} positions`,
        {
          code: 'dataset',
          remedy: 'Remove rows with such long questions.',
        },
      );
    const params = {
      max_tokens: Math.min(maxNewTokens, maxCompletion),
      temperature: sampling.temperature,
      seed: bits(seed, ...stream, index) >>> 1,
      top_p: sampling.topP,
      top_k: sampling.topK > 0 ? sampling.topK : -1,
      stop: eosIds,
    };
    const drawn = await this.sampler!.sample(prompt, groupSize, params, signal);
    if (drawn.length !== groupSize)
      throw new UserError(`the Tinker server returned ${drawn.length} samples instead of ${groupSize}`, {
        code: 'backend',
        remedy: 'docs/cluster.md lists tested servers.',
      });
    return drawn.map((one, completion) => draftOf(one, { prompt: index, completion, eosIds }));
  }

  /** Log-probs that the server did not report, or that differ from its trainer's, are computed by the trainer. */
  private async rescore(prompts: readonly (readonly number[])[], completions: Completion[], options: SampleOptions) {
    const asTrained = options.sampling.temperature === 1 && !this.home.probed.samplerAgrees;
    const open = completions.filter(({ logProbs }) => asTrained || logProbs.some(Number.isNaN));
    const examples = open.map(({ prompt, tokens }) => ({ prompt: prompts[prompt], completion: tokens }));
    const scored = await this.score(this.model, examples, options.signal);
    open.forEach((completion, i) => {
      completion.logProbs = scored[i];
    });
  }
}

/** The server answered, but does not load a checkpoint's weights. */
const weightsLost = (folder: string, url: string, cause: TinkerError) =>
  new UserError(`the Tinker server at ${url} cannot load the weights of this checkpoint: ${cause.message}`, {
    file: folder,
    code: 'checkpoint',
    remedy:
      'If it lost its storage, start it with the storage that it had (SkyRL: --database-url and --checkpoints-base), ' +
      'then resume. Without that, weights and moments are lost, and the run cannot continue; the adapters in its ' +
      'checkpoints can still be asked, evaluated and exported.',
    cause,
  });

/** Once the weights have changed, an update is not aborted. */
const signalOf = (step: number, { signal }: GrpoOptions) => ({ signal: step === 0 ? signal : undefined });

function meanLoss(rows: readonly Float32Array[]): number {
  let total = 0;
  let count = 0;
  for (const row of rows)
    for (const logProb of row) {
      total -= logProb;
      count++;
    }
  return total / Math.max(count, 1);
}

function adamOf({
  learningRate,
  weightDecay,
  maxGradNorm,
  adam = defaultAdam,
}: OptimizerSettings & { learningRate: number }): AdamParams {
  return {
    learning_rate: learningRate,
    beta1: adam.beta1,
    beta2: adam.beta2,
    eps: adam.epsilon,
    weight_decay: weightDecay,
    grad_clip_norm: maxGradNorm,
  };
}

function gradNormIn(results: readonly TinkerPassResult[]): number | undefined {
  for (const { metrics } of results)
    for (const [name, value] of Object.entries(metrics)) if (/grad_?norm/i.test(name)) return value;
  return undefined;
}
