/** What a training host says about itself: where it stands (a snapshot), and what happens (events, counted). */
import * as z from 'zod';
import { curriculumEventSchema, phaseEventSchema, updateEventSchema, validationEventSchema } from '../runs/events';
import { hostStates } from './address';

const count = z.number().int().nonnegative();

const hostStateSchema = z.enum(hostStates);

/** A fault as it travels: a UserError's parts (`defect` for what is no UserError). */
export const faultSchema = z.object({
  code: z.string(),
  message: z.string(),
  file: z.string().optional(),
  line: z.number().optional(),
  column: z.number().optional(),
  remedy: z.string().optional(),
});
export type Fault = z.infer<typeof faultSchema>;

/** How a run ended for the host. `stopped`: after a checkpoint; `cancelled`: without one. */
export const outcomes = ['finished', 'stopped', 'cancelled', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];

/** Short work beside runs. */
export const jobKinds = ['evaluate', 'ask', 'rewrite', 'doctor'] as const;
export type JobKind = (typeof jobKinds)[number];

const activeRunSchema = z.object({
  /** Absolute. */
  folder: z.string(),
  name: z.string(),
  /** One line for a person: what computes. */
  backend: z.string(),
  /** When this host began with it. */
  since: z.iso.datetime(),
});
export type ActiveRun = z.infer<typeof activeRunSchema>;

/** Everything a client that comes late needs to show where things stand. */
export const statusSchema = z.object({
  state: hostStateSchema,
  run: activeRunSchema.optional(),
  /** The newest event of each kind of the run at hand, to draw its progress with. */
  progress: z.object({
    phase: phaseEventSchema.optional(),
    update: updateEventSchema.optional(),
    validation: validationEventSchema.optional(),
  }),
  /** How the last run of this host ended. */
  last: z.object({ folder: z.string(), outcome: z.enum(outcomes), fault: faultSchema.optional() }).optional(),
  /** Waiting or at work. */
  jobs: z.array(z.object({ id: z.string(), kind: z.enum(jobKinds), working: z.boolean() })),
  /** Connections, this one among them. */
  clients: count,
  /** Milliseconds since the engine's thread last came up for air: an update of a large student blocks it. */
  silentMs: count,
});
export type Status = z.output<typeof statusSchema>;

const happening = z.discriminatedUnion('type', [
  z.object({ type: z.literal('state'), state: hostStateSchema }),
  /** A run began, or is gone on with: from here on it is in the status. */
  z.object({ type: z.literal('run'), run: activeRunSchema, resumed: z.boolean() }),
  z.object({ type: z.literal('curriculum'), run: z.string(), event: curriculumEventSchema }),
  /** A run ended; its folder says how far it came. */
  z.object({ type: z.literal('ended'), run: z.string(), outcome: z.enum(outcomes), fault: faultSchema.optional() }),
  z.object({
    type: z.literal('job'),
    id: z.string(),
    kind: z.enum(jobKinds),
    state: z.enum(['waiting', 'working', 'done']),
  }),
  z.object({ type: z.literal('log'), level: z.enum(['debug', 'info', 'warning', 'error']), text: z.string() }),
]);
/** What happened, as the host's parts tell it. */
export type Happening = z.output<typeof happening>;

/** An event: counted from 1 within a session of a host. */
export const hostEventSchema = z.intersection(z.object({ seq: count, time: z.iso.datetime() }), happening);
export type HostEvent = z.output<typeof hostEventSchema>;
