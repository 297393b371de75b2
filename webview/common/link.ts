/** The page's side of the message link (the other one: src/extension/webview-page.ts). */
import { config, type z } from 'zod';
import { maxToPage, type PageNotice, type PageState, pageStateSchema } from '../../src/protocol/page';

// The page's policy forbids code made of text, which zod would otherwise try.
config({ jitless: true });

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

export interface Link<ToExtension> {
  post(message: ToExtension): void;
  /** Keeps what the page is about, and its own settings, for when it is loaded again. */
  keep(state: PageState): void;
  /** What was kept; the settings are the page's to check. */
  kept(): PageState | undefined;
}

/** Begins to listen, and says that the page is ready. To be called once. */
export function openLink<ToPage, ToExtension>(
  toPage: z.ZodType<ToPage>,
  receive: (message: ToPage) => void,
): Link<ToExtension> {
  const api = acquireVsCodeApi();
  const say = (notice: PageNotice) => api.postMessage(notice);
  const fault = (text: string) => say({ type: 'fault', text: text.slice(0, 20_000) });
  window.addEventListener('error', ({ error, message }) => fault(String(error?.stack ?? message)));
  window.addEventListener('unhandledrejection', ({ reason }) => fault(String(reason?.stack ?? reason)));
  window.addEventListener('message', ({ data }) => {
    const size = JSON.stringify(data)?.length ?? 0;
    const message = size <= maxToPage ? toPage.safeParse(data) : undefined;
    if (message?.success) receive(message.data);
    else {
      const [issue] = message?.error.issues ?? [];
      fault(`refused a message of ${size} characters${issue ? `: ${issue.path.join('.')}: ${issue.message}` : ''}`);
    }
  });
  // After the caller has its link in hand.
  queueMicrotask(() => say({ type: 'ready' }));
  return {
    post: (message) => say({ type: 'message', message }),
    keep: (state) => api.setState(state),
    kept: () => pageStateSchema.safeParse(api.getState()).data,
  };
}
