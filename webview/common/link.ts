/** The page's side of the message connection (the other side: src/extension/shared/webview-page.ts). */
import './jitless';
import type * as z from 'zod';
import { maxToPage, type PageNotice, type PageState, pageStateSchema } from '../../src/protocol/page';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

export interface ExtensionLink<ToExtension> {
  post(message: ToExtension): void;
  /** Saves the page's subject and its own settings for a reload. */
  keep(state: PageState): void;
  /** The saved state; the page must validate the settings. */
  kept(): PageState | undefined;
}

/** Starts listening, and reports that the page is ready. Call it once. */
export function openLink<ToPage, ToExtension>(
  toPage: z.ZodType<ToPage>,
  receive: (message: ToPage) => void,
): ExtensionLink<ToExtension> {
  const api = acquireVsCodeApi();
  const say = (notice: PageNotice) => api.postMessage(notice);
  const fault = (text: string) => say({ type: 'fault', text: text.slice(0, 20_000) });
  window.addEventListener('error', ({ error, message }) => fault(String(error?.stack ?? message)));
  window.addEventListener('unhandledrejection', ({ reason }) => fault(String(reason?.stack ?? reason)));
  window.addEventListener('message', ({ data }) => {
    const size = sizeOf(data);
    const message = size <= maxToPage ? toPage.safeParse(data) : undefined;
    if (message?.success) receive(message.data);
    else {
      const [issue] = message?.error.issues ?? [];
      fault(`refused a message of ${size} characters${issue ? `: ${issue.path.join('.')}: ${issue.message}` : ''}`);
    }
  });
  // After the caller has received its link.
  queueMicrotask(() => say({ type: 'ready' }));
  return {
    post: (message) => say({ type: 'message', message }),
    keep: (state) => api.setState(state),
    kept: () => pageStateSchema.safeParse(api.getState()).data,
  };
}

/** Characters of JSON; typed arrays count by their bytes, and are not converted. */
function sizeOf(data: unknown): number {
  let bytes = 0;
  const text = JSON.stringify(data, (_, value) => {
    if (!ArrayBuffer.isView(value)) return value;
    bytes += value.byteLength;
    return null;
  });
  return (text?.length ?? 0) + bytes;
}
