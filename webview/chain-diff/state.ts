/** The reader's choices, kept over a reload. */
import * as z from 'zod';
import { overlays } from './overlays';

const role = z.enum(['teacher', 'student', 'rewritten']);

export const viewSchema = z.object({
  overlay: z.enum(overlays).catch('diff'),
  inline: z.boolean().catch(false),
  /** In inline mode: the old and the new chain. */
  pair: z.tuple([role, role]).catch(['teacher', 'student']),
  /** Whether formulas and Markdown are rendered; auto: in word mode with formulas. */
  rendered: z.enum(['auto', 'on', 'off']).catch('auto'),
  /** Columns that are hidden. */
  hidden: z.array(role).max(3).catch([]),
});
export type ViewState = z.infer<typeof viewSchema>;

export const initialView: ViewState = {
  overlay: 'diff',
  inline: false,
  pair: ['teacher', 'student'],
  rendered: 'auto',
  hidden: [],
};
