/** What every page of a webview says besides its own messages, and how large a message may be. */
import * as z from 'zod';

/**
 * Characters of JSON: a message beyond these is refused. A page asks, names, and sends pictures of charts; the
 * extension sends chains with their numbers.
 */
export const maxToExtension = 16 * 1024 * 1024;
export const maxToPage = 32 * 1024 * 1024;

export const pageNoticeSchema = z.discriminatedUnion('type', [
  /**
   * The page's script runs and listens: said once each time that the page is loaded, so also when it was hidden and is
   * shown again.
   */
  z.object({ type: z.literal('ready') }),
  /** An error that nobody caught, or a message that did not pass the page's check. */
  z.object({ type: z.literal('fault'), text: z.string().max(20_000) }),
  z.object({ type: z.literal('message'), message: z.unknown() }),
]);
export type PageNotice = z.infer<typeof pageNoticeSchema>;

/**
 * What a page keeps over a reload of the window: what it is about (checked by the page's own schema), and its own
 * settings.
 */
export const pageStateSchema = z.object({ subject: z.unknown(), view: z.unknown().optional() });
export type PageState = z.infer<typeof pageStateSchema>;
