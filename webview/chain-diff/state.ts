/** What the reader has chosen. Kept over a reload. */
import * as z from 'zod';
import { overlays } from './overlays';

const role = z.enum(['teacher', 'student', 'rewritten']);

export const viewSchema = z.object({
  overlay: z.enum(overlays).catch('diff'),
  inline: z.boolean().catch(false),
  /** In inline mode: the older chain and the newer one. */
  pair: z.tuple([role, role]).catch(['teacher', 'student']),
  /** Columns that are put away. */
  hidden: z.array(role).max(3).catch([]),
});
export type ViewState = z.infer<typeof viewSchema>;

export const initialView: ViewState = { overlay: 'diff', inline: false, pair: ['teacher', 'student'], hidden: [] };
