/**
 * What a dashboard is about, and what its page asks of the extension. Apart from what the page is told (dashboard.ts),
 * which only the page checks.
 */
import * as z from 'zod';
import { stageNames } from '../stages';

const stage = z.enum(stageNames);
const count = z.number().int().nonnegative();

/** An update of a run. */
export const updateSchema = z.object({ run: z.string(), stage, step: count });

/** What a dashboard is about: run folders; the first is what the others are compared with. */
export const dashboardSubject = z.object({ runs: z.array(z.string()).min(1).max(12) });
export type DashboardSubject = z.infer<typeof dashboardSubject>;

export const fromDashboard = z.discriminatedUnion('type', [
  /** The page is there and knows nothing yet. */
  z.object({ type: z.literal('ready') }),
  updateSchema.extend({ type: z.literal('rollouts') }),
  updateSchema.extend({ type: z.literal('openRollouts') }),
  updateSchema.extend({ type: z.literal('compareChains'), problemId: z.string(), sample: count }),
  z.object({ type: z.literal('chooseRuns') }),
  z.object({ type: z.literal('control'), run: z.string(), verb: z.enum(['pause', 'resume', 'stop']) }),
  /** The updates of all runs shown, these metrics and stages of them, as CSV to the clipboard. */
  z.object({ type: z.literal('copyUpdates'), metrics: z.array(z.string()).max(200), stages: z.array(stage) }),
  /** The charts as SVG and as PNG (base64), and what they are of, to be written to a file. */
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
