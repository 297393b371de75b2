/** The reader's choices, kept across reloads. */
import * as z from 'zod';
import type { CaseView } from '../../src/protocol/chain-diff';
import { chainRoles, roleSchema } from '../../src/protocol/chain-diff-requests';
import { overlays } from './overlays';

export const viewSchema = z.object({
  overlay: z.enum(overlays).catch('diff'),
  inline: z.boolean().catch(false),
  /** In inline mode: the old and the new chain. */
  pair: z.tuple([roleSchema, roleSchema]).catch(['teacher', 'student']),
  /** Whether formulas and Markdown are rendered; auto: in word mode with formulas. */
  rendered: z.enum(['auto', 'on', 'off']).catch('auto'),
  /** Columns that are hidden. */
  hidden: z.array(roleSchema).max(3).catch([]),
});
export type ViewState = z.infer<typeof viewSchema>;

export const initialView: ViewState = {
  overlay: 'diff',
  inline: false,
  pair: ['teacher', 'student'],
  rendered: 'auto',
  hidden: [],
};

/** The pairs of chains that inline mode can compare. */
export function pairsOf(view: CaseView | null): ViewState['pair'][] {
  const present = chainRoles.filter((role) => view?.[role]);
  return present.flatMap((left, i) => present.slice(i + 1).map((right): ViewState['pair'] => [left, right]));
}
