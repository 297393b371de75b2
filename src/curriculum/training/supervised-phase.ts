import type { SftSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import type { Example } from '../../engine-data/examples';
import { bits } from '../../random';
import type { StageName } from '../../stages';
import type { Context, UpdateResult } from '../context';
import type { Validation } from '../evaluation/selection';
import { memorySettings } from './memory';
import { rowsOfUpdate } from './order';
import { type PhaseState, train } from './training';

/** A phase of supervised training. */
export interface SupervisedPhase {
  stage: StageName;
  phase: string;
  firstStep?: number;
  /** See Training (default: 0). */
  tolerance?: number | null;
  /** See Training. */
  candidate?: Validation | null;
  settings: SftSettings;
  /** Rows per epoch. */
  rows: number;
  /** The example of a row at its `visit`-th draw (counted over the whole phase); null: the row has no target. */
  example(row: number, visit: number): Example | null;
  /** Held-out examples for the loss at every validation. */
  heldOut?: Example[];
  state?: PhaseState;
}

/** Cross-entropy on examples. Plain SFT, Stage 1 and the end of Stage 3 differ only in the examples. */
export function trainSupervised(context: Context, student: Student, phase: SupervisedPhase): Promise<string> {
  const { settings, firstStep = 0, tolerance = 0, heldOut = [] } = phase;
  const { microBatchTokens } = memorySettings(settings);
  return train(context, student, {
    ...phase,
    firstStep,
    updates: settings.updates,
    tolerance,
    ...(heldOut.length > 0 && {
      heldOutLoss: () => student.loss(heldOut, { microBatchTokens, signal: context.signal }),
    }),
    update: (update, learningRate) => supervisedUpdate({ context, student, phase }, update, learningRate),
  });
}

interface SupervisedLearning {
  context: Context;
  student: Student;
  phase: SupervisedPhase;
}

async function supervisedUpdate(
  learning: SupervisedLearning,
  update: number,
  learningRate: number,
): Promise<UpdateResult> {
  const { context, student, phase } = learning;
  const { seed, adam } = context.experiment;
  const { settings, rows } = phase;
  const size = settings.batch * settings.accumulation;
  const salt = `${phase.stage}/${phase.phase}`;
  const examples = rowsOfUpdate(rows, update, { count: size, seed, salt })
    .map((row, i) => phase.example(row, update * size + i))
    .filter((example) => example !== null);
  const { loss, gradNorm, tokens } = await student.supervisedStep(examples, {
    ...settings,
    ...memorySettings(settings),
    adam,
    learningRate,
    seed: bits(seed, salt, update) >>> 1,
    signal: context.signal,
  });
  return { metrics: { loss, gradNorm }, tokens };
}
