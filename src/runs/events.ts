/** Events of a run in progress, for progress bars, hosts and logs. The run folder records the same information. */
import * as z from 'zod';
import { spentSchema } from '../spent';
import { percent } from '../words';
import { metricsRecordSchema, stageRowSchema, stageSchema, validationRecordSchema } from './records';

const count = z.number().int().nonnegative();

/** A loop of updates begins, or resumes after `done` of them. */
export const phaseEventSchema = z.object({
  type: z.literal('phase'),
  stage: stageSchema,
  phase: z.string(),
  updates: count,
  done: count,
});

/** An update is complete: number `update`, from 1, of the phase's `updates`. */
export const updateEventSchema = z.object({
  type: z.literal('update'),
  stage: stageSchema,
  phase: z.string(),
  update: count,
  updates: count,
  metrics: metricsRecordSchema,
  /** On a server that charges by the token. */
  spent: spentSchema.optional(),
});

/** A validation, as in validation.jsonl. */
export const validationEventSchema = z.object({
  type: z.literal('validation'),
  ...validationRecordSchema.omit({ seq: true, time: true, phase: true }).shape,
});

export type ValidationEvent = z.output<typeof validationEventSchema>;

/** The measured results of a validation: `71.0 %, 84.2 tokens, loss 0.412`. */
export function validationText({ accuracy, meanTokens, loss }: ValidationEvent): string {
  return [
    accuracy === undefined ? '' : percent(accuracy),
    meanTokens === undefined ? '' : `${meanTokens.toFixed(1)} tokens`,
    loss === undefined ? '' : `loss ${loss.toFixed(3)}`,
  ]
    .filter(Boolean)
    .join(', ');
}

export const curriculumEventSchema = z.discriminatedUnion('type', [
  phaseEventSchema,
  updateEventSchema,
  validationEventSchema,
  /** A student was tested: its row of summary.json. */
  z.object({ type: z.literal('result'), row: stageRowSchema.omit({ seq: true }) }),
  z.object({ type: z.literal('checkpoint'), name: z.string() }),
  z.object({ type: z.literal('note'), level: z.enum(['info', 'warning']), text: z.string() }),
]);
export type CurriculumEvent = z.output<typeof curriculumEventSchema>;
