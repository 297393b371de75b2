/** What a run reports while it goes on; for progress bars, hosts and logs. Nothing here that the run folder does not keep as well. */
import { z } from 'zod';
import { real } from './jsonl';
import { metricsRecordSchema, stageRowSchema, stageSchema } from './records';

const count = z.number().int().nonnegative();

export const curriculumEventSchema = z.discriminatedUnion('type', [
  /** A loop of updates begins, or goes on after `done` of them. */
  z.object({ type: z.literal('phase'), stage: stageSchema, phase: z.string(), updates: count, done: count }),
  z.object({
    type: z.literal('update'),
    stage: stageSchema,
    phase: z.string(),
    /** From 1 to `updates`, within the phase. */
    update: count,
    updates: count,
    metrics: metricsRecordSchema,
  }),
  /** A check on the held-out rows, as validation.jsonl has it. */
  z.object({
    type: z.literal('validation'),
    stage: stageSchema,
    step: count,
    accuracy: real,
    meanTokens: real,
    best: z.boolean(),
  }),
  /** A student was tested: its row of summary.json. */
  z.object({ type: z.literal('result'), row: stageRowSchema.omit({ seq: true }) }),
  z.object({ type: z.literal('checkpoint'), name: z.string() }),
  z.object({ type: z.literal('note'), level: z.enum(['info', 'warning']), text: z.string() }),
]);
export type CurriculumEvent = z.output<typeof curriculumEventSchema>;
