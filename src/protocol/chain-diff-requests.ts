/**
 * The subject of a chain diff, and the page's requests to the extension. Apart from the messages to the page
 * (chain-diff.ts), which only the page checks.
 */
import * as z from 'zod';

const word = z.string().max(2_000);
const index = z.number().int().nonnegative();

/** The subject of a page. Without a moment or sample the most informative one is chosen. */
export const chainSubjectSchema = z.object({
  /** Absolute folder of the run. */
  run: z.string().min(1).max(4_096),
  problemId: word,
  /** Key of the moment of the student's chain. */
  moment: word.optional(),
  sample: index.optional(),
  /** Index of the rewrite in the third column. */
  rewrite: index.optional(),
  /** Key of the moment and sample of a completion to show in the third column instead. */
  third: z.object({ moment: word, sample: index }).optional(),
});
export type ChainSubject = z.infer<typeof chainSubjectSchema>;

/** A record on disk. `line` counts from 1. `field` is the requested number. */
export const originSchema = z.object({ file: z.string().max(4_096), line: index.optional(), field: word.optional() });
export type Origin = z.infer<typeof originSchema>;

export const chainRoles = ['teacher', 'student', 'rewritten'] as const;
export const roleSchema = z.enum(chainRoles);
export const fromChainPageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('show'), subject: chainSubjectSchema }),
  /** The next or previous case. */
  z.object({ type: z.literal('go'), by: z.number().int().min(-1).max(1) }),
  /** A decision about the shown rewrite, or a request to edit it. */
  z.object({ type: z.literal('decide'), what: z.enum(['accept', 'reject', 'edit']) }),
  /** Marks the step (from 0) of the student's recorded answer as the first wrong one. */
  z.object({ type: z.literal('markStep'), step: index }),
  z.object({ type: z.literal('copy'), role: roleSchema }),
  /** Opens them as text in the editor: the first against the second, or one alone. */
  z.object({ type: z.literal('openText'), left: roleSchema.optional(), right: roleSchema }),
  z.object({ type: z.literal('openRecord'), origin: originSchema }),
  /** Asks for another run or problem. */
  z.object({ type: z.literal('choose') }),
]);
export type FromChainPage = z.infer<typeof fromChainPageSchema>;
