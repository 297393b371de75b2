/** Status and events of a training host: a snapshot, and numbered events. */
import * as z from 'zod';
import { curriculumEventSchema, phaseEventSchema, updateEventSchema, validationEventSchema } from '../runs/events';
import { hostStates } from './address';

const count = z.number().int().nonnegative();

const hostStateSchema = z.enum(hostStates);

/** An error in transmitted form: the parts of a UserError (`defect` for others). */
export const faultSchema = z.object({
  code: z.string(),
  message: z.string(),
  file: z.string().optional(),
  line: z.number().optional(),
  column: z.number().optional(),
  remedy: z.string().optional(),
});
export type HostFault = z.infer<typeof faultSchema>;

/** How a run ended. `stopped`: after a checkpoint; `cancelled`: without one. */
const outcomes = ['finished', 'stopped', 'cancelled', 'failed'] as const;

/** Short work beside runs. */
const jobKinds = ['evaluate', 'ask', 'rewrite', 'doctor'] as const;
export type JobKind = (typeof jobKinds)[number];

const activeRunSchema = z.object({
  /** Absolute. */
  folder: z.string(),
  name: z.string(),
  /** One line for people: engine and device. */
  backend: z.string(),
  /** When this host started to work on it. */
  since: z.iso.datetime(),
});

/** Everything that a newly connected client needs to show the current state. */
export const statusSchema = z.object({
  state: hostStateSchema,
  run: activeRunSchema.optional(),
  /** The newest event of each kind in the current run, to show its progress. */
  progress: z.object({
    phase: phaseEventSchema.optional(),
    update: updateEventSchema.optional(),
    validation: validationEventSchema.optional(),
  }),
  /** How the last run of this host ended. */
  last: z.object({ folder: z.string(), outcome: z.enum(outcomes), fault: faultSchema.optional() }).optional(),
  /** Waiting or in progress. */
  jobs: z.array(z.object({ id: z.string(), kind: z.enum(jobKinds), working: z.boolean() })),
  /** Number of connections, including this one. */
  clients: count,
  /** Milliseconds since the last sign of life of the engine's thread, which an update of a large student blocks. */
  silentMs: count,
});
export type Status = z.output<typeof statusSchema>;

const hostEventContent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('state'), state: hostStateSchema }),
  /** A run was started or resumed; the status includes it from now on. */
  z.object({ type: z.literal('run'), run: activeRunSchema, resumed: z.boolean() }),
  z.object({ type: z.literal('curriculum'), run: z.string(), event: curriculumEventSchema }),
  /** A run ended; its folder shows its progress. */
  z.object({ type: z.literal('ended'), run: z.string(), outcome: z.enum(outcomes), fault: faultSchema.optional() }),
  z.object({
    type: z.literal('job'),
    id: z.string(),
    kind: z.enum(jobKinds),
    state: z.enum(['waiting', 'working', 'done']),
  }),
  z.object({ type: z.literal('log'), level: z.enum(['debug', 'info', 'warning', 'error']), text: z.string() }),
]);
/** An event of one part of the host. */
export type HostEventContent = z.output<typeof hostEventContent>;

/** A numbered event; numbers start at 1 in each session of a host. */
export const hostEventSchema = z.intersection(z.object({ seq: count, time: z.iso.datetime() }), hostEventContent);
export type HostEvent = z.output<typeof hostEventSchema>;
