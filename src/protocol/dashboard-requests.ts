/**
 * The subject of a dashboard, and the page's requests to the extension. Apart from the messages to the page
 * (dashboard.ts), which only the page checks.
 */
import * as z from 'zod';
import { stageNames } from '../stages';

const stage = z.enum(stageNames);
const count = z.number().int().nonnegative();

export const updateSchema = z.object({ run: z.string(), stage, step: count });

/** The subject of a dashboard: run folders; the others are compared with the first. */
export const dashboardSubject = z.object({ runs: z.array(z.string()).min(1).max(12) });
export type DashboardSubject = z.infer<typeof dashboardSubject>;

export const fromDashboard = z.discriminatedUnion('type', [
  /** The page is loaded and has no data yet. */
  z.object({ type: z.literal('ready') }),
  updateSchema.extend({ type: z.literal('rollouts') }),
  updateSchema.extend({ type: z.literal('openRollouts') }),
  updateSchema.extend({ type: z.literal('compareChains'), problemId: z.string(), sample: count }),
  z.object({ type: z.literal('chooseRuns') }),
  z.object({ type: z.literal('control'), run: z.string(), verb: z.enum(['pause', 'resume', 'stop']) }),
  /** Copies the updates of all shown runs, for these metrics and stages, as CSV. */
  z.object({ type: z.literal('copyUpdates'), metrics: z.array(z.string()).max(200), stages: z.array(stage) }),
  /** The charts as SVG and as PNG (base64), with their subject, to be saved. */
  z.object({
    type: z.literal('exportCharts'),
    svg: z.string(),
    png: z.string(),
    metrics: z.array(z.string()).max(200),
    stages: z.array(stage),
  }),
  z.object({ type: z.literal('copy'), text: z.string(), what: z.string() }),
]);
export type FromDashboard = z.infer<typeof fromDashboard>;
