/**
 * Messages of the extension to a dashboard's page. A run's updates travel as columns, and only the new rows of
 * them; everything else is small and sent whole when it changes.
 */
import * as z from 'zod';
import { studentRowSchema } from '../results';
import type { SettingDifference } from '../runs/differences';
import { stageNames } from '../stages';
import { updateSchema } from './dashboard-requests';

const stage = z.enum(stageNames);
const count = z.number().int().nonnegative();
const interval = z.tuple([z.number(), z.number()]);

const validation = z.object({
  stage,
  step: count,
  accuracy: z.number().optional(),
  meanTokens: z.number().optional(),
  loss: z.number().optional(),
});
export type ValidationMark = z.infer<typeof validation>;

const alert = z.object({
  /** `error`: training is broken; `warning`: it continues with little learning, or diverges. */
  level: z.enum(['error', 'warning']),
  /** One sentence on the problem, and one on a possible remedy. */
  text: z.string(),
  remedy: z.string().optional(),
  /** Name of the metric that shows it, and the update. */
  metric: z.string(),
  stage,
  step: count,
});
export type Alert = z.infer<typeof alert>;

const progress = z.object({
  stage,
  phase: z.string(),
  done: count,
  /** Planned updates of this phase; absent when the config lacks them. */
  planned: count.optional(),
  /** Seconds until the phase ends, by the pace of its last updates. */
  secondsLeft: z.number().optional(),
});
export type DashboardProgress = z.infer<typeof progress>;

const head = z.object({
  /** Identifies the run in every message. */
  folder: z.string(),
  id: z.string(),
  /** A person's name for it. */
  label: z.string().optional(),
  name: z.string(),
  state: z.enum(['created', 'running', 'paused', 'stopped', 'finished', 'failed', 'interrupted', 'unreadable']),
  reason: z.string().optional(),
  created: z.string().optional(),
  /** One line: engine and device. */
  backend: z.string().optional(),
  /** The checkpoint that it began with; absent for a base student. */
  start: z.object({ run: z.string(), checkpoint: z.string() }).optional(),
  results: z.array(studentRowSchema),
  /** Stages that left the student as it was. */
  unchanged: z.array(stage),
  validation: z.array(validation),
  progress: progress.optional(),
  alerts: z.array(alert),
  /** Parts of the run that could not be read, and why. */
  problems: z.array(z.string()),
});
export type RunHead = z.infer<typeof head>;

/** New updates of a run, one column per metric. */
const rows = z.object({
  type: z.literal('rows'),
  run: z.string(),
  /** Number of rows before these; 0: earlier rows are invalid. */
  from: count,
  phases: z.array(z.string()),
  /** Indices into `stageNames` and `phases`. */
  stage: z.instanceof(Uint8Array),
  phase: z.instanceof(Uint8Array),
  /** From 1, within the stage. */
  step: z.instanceof(Uint32Array),
  /** Milliseconds since 1970. */
  time: z.instanceof(Float64Array),
  /** By metric; reward components are `parts/<component>`. NaN: not measured, or NaN if listed in `broken`. */
  values: z.record(z.string(), z.instanceof(Float64Array)),
  /** Values that are NaN or infinite: metric and row, counted from the first of the run. */
  broken: z.array(z.tuple([z.string(), count])),
  /** More rows follow at once. */
  more: z.boolean().optional(),
});
export type RowsMessage = z.infer<typeof rows>;

const difference = z.object({
  path: z.string(),
  values: z.array(z.string().nullable()),
}) satisfies z.ZodType<SettingDifference>;

export type { SettingDifference };

/** A paired comparison of two students on the problems that both were tested on. */
const pair = z.object({
  run: z.string(),
  stage,
  /**
   * Within the run, `base`: the student that it began with; `baseline`: its strongest baseline. `first`: the same stage
   * of the first run.
   */
  against: z.enum(['base', 'baseline', 'first']),
  n: count,
  /** Differences of accuracy and of mean tokens, with 95 % intervals over the problems. */
  accuracy: z.number(),
  accuracyInterval: interval,
  tokens: z.number(),
  tokensInterval: interval,
});
export type PairedResults = z.infer<typeof pair>;

const completion = z.object({
  sample: count,
  text: z.string(),
  tokens: count,
  reward: z.number().nullable(),
  parts: z.record(z.string(), z.number().nullable()),
  advantage: z.number().nullable(),
  answer: z.string().nullable(),
  correct: z.boolean().nullable(),
  finished: z.boolean(),
});
export type DashboardCompletion = z.infer<typeof completion>;

const group = z.object({
  problemId: z.string(),
  group: count,
  prompt: z.string(),
  teacherTokens: count.optional(),
  /** Highest reward first. */
  completions: z.array(completion),
});
export type DashboardGroup = z.infer<typeof group>;

export const toDashboard = z.discriminatedUnion('type', [
  /** All shown runs; the others are compared with the first. */
  z.object({ type: z.literal('runs'), runs: z.array(head) }),
  rows,
  z.object({ type: z.literal('settings'), differences: z.array(difference) }),
  z.object({ type: z.literal('pairs'), pairs: z.array(pair) }),
  updateSchema.extend({
    type: z.literal('rollouts'),
    groups: z.array(group),
    /** Why there are none. */
    problem: z.string().optional(),
    /** The nearest steps of the same stage with rollouts, before and after. */
    previous: count.optional(),
    next: count.optional(),
  }),
]);
export type ToDashboard = z.infer<typeof toDashboard>;
export type RolloutsMessage = Extract<ToDashboard, { type: 'rollouts' }>;
