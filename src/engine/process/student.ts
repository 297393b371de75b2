/** A student in an engine process. */
import { defaultAdam } from '../../config/adam';
import type { Example } from '../../engine-data/examples';
import { type Completion, type SampleOptions, type SampleSummary, summaryOf } from '../../engine-data/sampling';
import {
  Diverged,
  type GrpoMeasures,
  type GrpoOptions,
  type SupervisedOptions,
  type TokenMeasures,
} from '../../engine-data/training';
import { UserError } from '../../errors';
import { namingStudent } from '../diverged';
import type { GrpoUpdate, LogProbOptions, Snapshot, Student, StudentFacts, SupervisedStep, TokenScores } from '../port';
import type { EngineConnection, EngineRequestOptions } from './connection';
import type { EngineMethod, EngineParams, EngineResult } from './wire';

/** Weights that the engine keeps under a name. */
class KeptWeights implements Snapshot {
  constructor(
    readonly name: string,
    readonly discard: () => Promise<void>,
  ) {}
}

export class ProcessStudent implements Student {
  private steps = 0;

  constructor(
    private readonly connection: EngineConnection,
    /** Where it was loaded from, absolute. */
    private readonly path: string,
    private readonly id: string,
    readonly facts: StudentFacts,
  ) {}

  get optimizerStep(): number {
    return this.steps;
  }

  async sample(
    prompts: readonly (readonly number[])[],
    options: SampleOptions,
  ): Promise<{ completions: Completion[]; summary: SampleSummary }> {
    this.checkPrompts(prompts);
    const {
      sampling,
      maxNewTokens,
      eosIds,
      seed,
      stream = [],
      groupSize = 1,
      maxRows = 64,
      precision = 'float32',
      progress,
      signal,
    } = options;
    if (precision !== 'float32')
      throw new UserError(`this engine does not round weights to ${precision} for sampling`, {
        code: 'config',
        remedy: 'Remove sampling.precision: the engine samples in its own dtype.',
      });
    const started = performance.now();
    const settings = { sampling, maxNewTokens, eosIds: [...eosIds], seed, stream: [...stream], groupSize, maxRows };
    const place = (i: number) => ({ prompt: Math.floor(i / groupSize), completion: i % groupSize });
    const sampled = this.ask(
      'sample',
      { prompts, ...settings },
      {
        signal,
        progress: ({ drafts }) =>
          drafts &&
          progress?.(drafts.map((row, i) => ({ ...place(i), tokens: [...row], logProbs: [], finished: false }))),
      },
    );
    const { tokens, logProbs, finished } = await namingStudent(this.path, sampled);
    const completions = tokens.map((row, i) => ({
      ...place(i),
      tokens: [...row],
      logProbs: logProbs[i],
      finished: finished[i],
    }));
    progress?.(completions.map((one) => ({ ...one, logProbs: Array.from(one.logProbs) })));
    return { completions, summary: summaryOf(prompts, completions, started) };
  }

  private checkPrompts(prompts: readonly (readonly number[])[]): void {
    for (const { length } of prompts) {
      if (length === 0) throw new UserError('A prompt has no tokens', { code: 'dataset' });
      if (length >= this.facts.maxPositions)
        throw new UserError(
          `A prompt has ${length} tokens, which leaves no room for an answer ` +
            `in the student's ${this.facts.maxPositions} positions`,
          { code: 'dataset', remedy: 'Shorten the question, or use a student with more positions.' },
        );
    }
  }

  async logProbs(examples: readonly Example[], options: LogProbOptions): Promise<TokenScores[]> {
    const { temperature = 1, microBatchTokens, signal } = options;
    const asked = { examples: columns(examples), temperature, microBatchTokens };
    const { logProbs, entropy } = await this.ask('logProbs', asked, { signal });
    return logProbs.map((values, i) => ({ logProbs: values, entropy: entropy[i] }));
  }

  async loss(examples: readonly Example[], options: Pick<LogProbOptions, 'microBatchTokens' | 'signal'>) {
    const { microBatchTokens, signal } = options;
    return (await this.ask('loss', { examples: columns(examples), microBatchTokens }, { signal })).loss;
  }

  async supervisedStep(examples: readonly Example[], { signal, ...step }: SupervisedStep) {
    const { learningRate, seed } = step;
    const asked = { examples: columns(examples), learningRate, seed, ...optimization(step) };
    const measures = await orDiverged(this.ask('supervisedStep', asked, { signal }));
    this.steps++;
    return measures;
  }

  async grpoStep(
    update: GrpoUpdate,
    { signal, ...options }: GrpoOptions,
  ): Promise<GrpoMeasures & { perToken: TokenMeasures }> {
    const { episodes, replay, reference, learningRate, seed } = update;
    const asked = {
      episodes: {
        ...columns(episodes),
        logProbs: episodes.map(({ logProbs }) => logProbs),
        advantages: Float32Array.from(episodes, ({ advantage }) => advantage),
        masked: episodes.map(({ masked }) => masked),
      },
      replay: replay.length > 0 ? columns(replay) : null,
      reference: reference && nameOf(reference),
      learningRate,
      seed,
      options: { ...options, ...optimization(options) },
    };
    const { measures, entropy, refLogProbs } = await orDiverged(this.ask('grpoStep', asked, { signal }));
    this.steps += stepsOf(update, options);
    return { ...measures, perToken: { entropy: [...entropy], refLogProbs: refLogProbs && [...refLogProbs] } };
  }

  async restartOptimizer(): Promise<void> {
    await this.ask('restartOptimizer', {});
    this.steps = 0;
  }

  async snapshot(checkpoint?: string): Promise<Snapshot> {
    const { snapshot } = await this.ask('snapshot', { checkpoint });
    return new KeptWeights(snapshot, async () => {
      if (this.connection.alive) await this.ask('discard', { snapshot });
    });
  }

  async restore(snapshot: Snapshot): Promise<void> {
    await this.ask('restore', { snapshot: nameOf(snapshot) });
  }

  async save(folder: string, { moments, eosIds }: { moments: boolean; eosIds: readonly number[] }): Promise<void> {
    await this.ask('save', { folder, moments, eosIds: [...eosIds] });
  }

  async load(folder: string, options: { moments: false } | { moments: true; step: number }): Promise<void> {
    const step = options.moments ? options.step : 0;
    await this.ask('load', { folder, moments: options.moments, step });
    if (options.moments) this.steps = step;
  }

  async dispose(): Promise<void> {
    if (!this.connection.alive) return; // it is gone with its process
    await this.ask('close', {});
  }

  private ask<M extends EngineMethod>(
    method: M,
    params: Omit<EngineParams<M>, 'id'>,
    options?: EngineRequestOptions,
  ): Promise<EngineResult<M>> {
    return this.connection.request(method, { id: this.id, ...params } as unknown as EngineParams<M>, options);
  }
}

const columns = (examples: readonly Example[]) => ({
  prompts: examples.map(({ prompt }) => prompt),
  completions: examples.map(({ completion }) => completion),
});

const optimization = (options: SupervisedOptions) => ({
  weightDecay: options.weightDecay,
  maxGradNorm: options.maxGradNorm,
  adam: options.adam ?? defaultAdam,
  dropout: options.dropout,
  microBatchTokens: options.microBatchTokens,
  checkpointing: options.checkpointing ?? false,
});

function nameOf(snapshot: Snapshot): string {
  if (!(snapshot instanceof KeptWeights)) throw new Error('a snapshot of another engine');
  return snapshot.name;
}

/** The steps of an update that have a gradient; the others leave the optimizer unchanged. */
export function stepsOf({ episodes, replay }: GrpoUpdate, options: GrpoOptions): number {
  const { iterations, minibatches, policyWeight, replayWeight, beta } = options;
  if (replay.length > 0 && replayWeight > 0) return iterations * minibatches;
  const learning = episodes.map(
    ({ masked, advantage }) => policyWeight > 0 && !masked && (beta > 0 || advantage !== 0),
  );
  const parts = Array.from({ length: minibatches }, (_, part) =>
    learning.some((one, i) => one && i % minibatches === part),
  );
  return iterations * parts.filter(Boolean).length;
}

/** Reports divergence in the same way as the embedded engine. */
async function orDiverged<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if ((error as Partial<UserError>).code !== 'diverged') throw error;
    const [, what] = /^Training diverged: (.*) is not a finite number/.exec((error as Error).message) ?? [];
    throw new Diverged(what ?? 'the loss or the gradient');
  }
}
