import type { SftSettings } from '../config/experiment';
import type { Example } from '../engine-data/examples';
import { supervisedLoss, supervisedStep } from '../learning/supervised';
import type { Model } from '../model/transformer';
import { bits } from '../random';
import type { StageName } from '../stages';
import type { Context } from './context';
import { memorySettings } from './memory';
import { rowsOfUpdate } from './order';
import type { Validation } from './selection';
import { train } from './training';

/** A phase of supervised training. */
export interface SupervisedPhase {
  stage: StageName;
  phase: string;
  firstStep?: number;
  /** See Training; 0 unless said. */
  tolerance?: number | null;
  /** See Training. */
  candidate?: Validation | null;
  settings: SftSettings;
  /** How many rows an epoch runs over. */
  rows: number;
  /** The example of a row at its `visit`-th draw (counted over the whole phase); null: the row has nothing to teach. */
  example(row: number, visit: number): Example | null;
  /** Held-out examples, on which the loss is told at every check. */
  heldOut?: Example[];
  state?: { save(): unknown; restore(saved: unknown): void };
}

/** Cross-entropy on examples: plain SFT, Stage 1, and the end of Stage 3 are this with different examples. */
export function trainSupervised(context: Context, model: Model, phase: SupervisedPhase): Promise<string> {
  const { seed, adam } = context.experiment;
  const { stage, settings, rows } = phase;
  const size = settings.batch * settings.accumulation;
  const { heldOut = [] } = phase;
  const salt = `${stage}/${phase.phase}`;
  return train(context, model, {
    ...phase,
    firstStep: phase.firstStep ?? 0,
    updates: settings.updates,
    tolerance: phase.tolerance === undefined ? 0 : phase.tolerance,
    ...(heldOut.length > 0 && {
      heldOutLoss: (student) =>
        supervisedLoss(student, heldOut, { ...memorySettings(settings), signal: context.signal }),
    }),
    async update(student, optimizer, update, learningRate) {
      const examples = rowsOfUpdate(seed, rows, update, size, salt)
        .map((row, i) => phase.example(row, update * size + i))
        .filter((example) => example !== null);
      const options = { ...settings, ...memorySettings(settings), adam, signal: context.signal };
      const step = await supervisedStep(
        student,
        optimizer,
        examples,
        learningRate,
        options,
        bits(seed, salt, update) >>> 1,
      );
      return { metrics: { loss: step.loss, gradNorm: step.gradNorm }, tokens: step.tokens };
    },
  });
}
