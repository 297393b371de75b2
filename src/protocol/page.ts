/** Messages that every webview page has besides its own, and the maximum size of a message. */
import * as z from 'zod';

/**
 * Maximum characters of JSON; larger messages are refused. A page sends requests, names and pictures of charts; the
 * extension sends chains with their numbers.
 */
export const maxToExtension = 16 * 1024 * 1024;
export const maxToPage = 32 * 1024 * 1024;

export const pageNoticeSchema = z.discriminatedUnion('type', [
  /** The page's script is running: sent whenever the page is loaded, also when it was unloaded and is shown again. */
  z.object({ type: z.literal('ready') }),
  /** An uncaught error, or a message that the page's validation refused. */
  z.object({ type: z.literal('fault'), text: z.string().max(20_000) }),
  z.object({ type: z.literal('message'), message: z.unknown() }),
]);
export type PageNotice = z.infer<typeof pageNoticeSchema>;

/** State of a page across window reloads: its subject (validated by the page's own schema), and its own settings. */
export const pageStateSchema = z.object({ subject: z.unknown(), view: z.unknown().optional() });
export type PageState = z.infer<typeof pageStateSchema>;
