import { keep } from '@tensorflow/tfjs-core';
import type { Example } from '../../engine-data/examples';
import type { SampleOptions } from '../../engine-data/sampling';
import type { GrpoOptions } from '../../engine-data/training';
import { grpoStep, tokenScores } from '../../learning/grpo';
import { createOptimizer, disposeOptimizer, type Optimizer } from '../../learning/optimizer';
import { supervisedLoss, supervisedStep } from '../../learning/supervised';
import { addsNothing } from '../../model/lora';
import { disposeModel, type Model, shareFrozen, trainableParameters } from '../../model/transformer';
import { sample } from '../../rollout/sample';
import { parameterCount } from '../../student-files/parameters';
import { namingStudent } from '../diverged';
import type { GrpoUpdate, LogProbOptions, Snapshot, Student, StudentFacts, SupervisedStep } from '../port';
import { loadMoments, readWeights, saveMoments, saveWeights } from './checkpoint';

/** The trained weights at one moment. They share data with the student's until training changes these. */
class WeightSnapshot implements Snapshot {
  /** A model that scores as the student did then: an adapter that was still zero is omitted. */
  readonly policy: Model;

  constructor(
    readonly model: Model,
    private readonly discarded: (kept: WeightSnapshot) => void,
  ) {
    const { adapter } = model;
    this.policy = adapter && addsNothing(adapter) ? shareFrozen(model) : model;
  }

  async discard(): Promise<void> {
    disposeModel(this.model);
    if (this.policy !== this.model) disposeModel(this.policy);
    this.discarded(this);
  }
}

/** A student in this process, on tfjs and the kernels. */
export class EmbeddedStudent implements Student {
  readonly facts: StudentFacts;
  private optimizer: Optimizer | null = null;
  private readonly snapshots = new Set<WeightSnapshot>();

  /** Takes ownership of the model. `path`: where it was loaded from, absolute. */
  constructor(
    private readonly model: Model,
    private readonly path: string,
    private readonly disposed: (student: EmbeddedStudent) => void,
  ) {
    const { vocabSize, maxPositions } = model.config;
    const trainable = [...trainableParameters(model).values()].reduce((count, { size }) => count + size, 0);
    this.facts = { vocabSize, maxPositions, parameters: parameterCount(model.config), trainable };
  }

  get optimizerStep(): number {
    return this.optimizer?.step ?? 0;
  }

  sample(prompts: readonly (readonly number[])[], options: SampleOptions) {
    return namingStudent(this.path, sample(this.model, prompts, options));
  }

  logProbs(examples: readonly Example[], options: LogProbOptions) {
    return tokenScores(this.model, examples, options);
  }

  loss(examples: readonly Example[], options: Pick<LogProbOptions, 'microBatchTokens' | 'signal'>) {
    return supervisedLoss(this.model, examples, options);
  }

  supervisedStep(examples: readonly Example[], { learningRate, seed, ...options }: SupervisedStep) {
    return supervisedStep(this.model, this.optimizerOrNew(), examples, learningRate, options, seed);
  }

  grpoStep({ reference, ...update }: GrpoUpdate, options: GrpoOptions) {
    const policy = reference && (reference as WeightSnapshot).policy;
    return grpoStep(this.model, this.optimizerOrNew(), { ...update, reference: policy }, options);
  }

  async restartOptimizer(): Promise<void> {
    if (this.optimizer) disposeOptimizer(this.optimizer);
    this.optimizer = null;
  }

  async snapshot(checkpoint?: string): Promise<Snapshot> {
    const { adapter, config } = this.model;
    const values = checkpoint === undefined ? this.cloned(this.model) : readWeights(this.model, checkpoint);
    const model: Model = adapter
      ? { ...shareFrozen(this.model), adapter: { ...adapter, parameters: values } }
      : { config, parameters: values, adapter, ropes: null };
    const kept = new WeightSnapshot(model, (one) => this.snapshots.delete(one));
    this.snapshots.add(kept);
    return kept;
  }

  async restore(snapshot: Snapshot): Promise<void> {
    this.take(this.cloned((snapshot as WeightSnapshot).model));
  }

  async save(folder: string, { moments, eosIds }: { moments: boolean; eosIds: readonly number[] }): Promise<void> {
    saveWeights(folder, this.model, this.path, eosIds);
    if (moments) saveMoments(folder, this.optimizerOrNew());
  }

  async load(folder: string, options: { moments: false } | { moments: true; step: number }): Promise<void> {
    this.take(readWeights(this.model, folder));
    if (options.moments) loadMoments(this.optimizerOrNew(), folder, options.step);
  }

  async dispose(): Promise<void> {
    await this.restartOptimizer();
    for (const snapshot of [...this.snapshots]) await snapshot.discard();
    disposeModel(this.model);
    this.disposed(this);
  }

  private optimizerOrNew(): Optimizer {
    this.optimizer ??= createOptimizer(this.model);
    return this.optimizer;
  }

  private cloned(model: Model) {
    return new Map([...trainableParameters(model)].map(([name, parameter]) => [name, keep(parameter.clone())]));
  }

  private take(values: ReturnType<typeof readWeights>): void {
    const trained = trainableParameters(this.model);
    for (const [name, parameter] of trained) {
      parameter.dispose();
      trained.set(name, values.get(name)!);
    }
  }
}
