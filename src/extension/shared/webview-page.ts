import { randomBytes } from 'node:crypto';
import type * as z from 'zod';
import { maxToExtension, pageNoticeSchema, pageStateSchema } from '../../protocol/page';
import { escaped } from '../../report/html';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { readingColumn } from './reading-column';

/** A kind of webview page: `dist/webview/<name>.js` and `.css`, and its messages. */
export interface PageKind<Subject, ToExtension> {
  /** Name of its folder in webview/. The view type is `distillery.<name>`. */
  name: string;
  /** What one page shows, such as a run and a problem. Saved in the page's state, so that a reload reopens it. */
  subject: z.ZodType<Subject>;
  toExtension: z.ZodType<ToExtension>;
  /** Identity of a page: opening a subject with the key of an open page reveals that page. */
  keyOf(subject: Subject): string;
  titleOf(subject: Subject): string;
}

/** An open page. Lives as long as its tab. */
export interface WebviewTab<Subject, ToPage> {
  panel: vscode.WebviewPanel;
  /** The subject opened last. Set it when the page moves on, so that its key stays correct. */
  subject: Subject;
  /**
   * False while the page is hidden and unloaded: `ready` comes when it is shown again, and everything must be resent.
   */
  post(message: ToPage): void;
}

/** Drives a page; created when it opens and disposed with it. */
export interface PageDriver<Subject, ToExtension> extends vscode.Disposable {
  /** The page was loaded or reloaded and has no data. */
  ready(): void;
  receive(message: ToExtension): void;
  /** The open page was requested for this subject (with the same key). */
  show(subject: Subject): void;
}

/** All open pages of a kind. Registers the serializer that restores them after a window reload. */
export class WebviewPages<Subject, ToPage, ToExtension> implements vscode.Disposable {
  private readonly pages = new Map<vscode.WebviewPanel, OpenPage<Subject, ToPage, ToExtension>>();
  private readonly serializer: vscode.Disposable;

  constructor(
    private readonly services: Services,
    private readonly kind: PageKind<Subject, ToExtension>,
    private readonly connect: (page: WebviewTab<Subject, ToPage>) => PageDriver<Subject, ToExtension>,
  ) {
    this.serializer = vscode.window.registerWebviewPanelSerializer(this.viewType, {
      deserializeWebviewPanel: async (panel, state) => {
        const kept = pageStateSchema.safeParse(state);
        const subject = kind.subject.safeParse(kept.data?.subject);
        if (subject.success) this.adopt(panel, subject.data);
        else panel.dispose();
      },
    });
  }

  private get viewType(): string {
    return `distillery.${this.kind.name}`;
  }

  /** Opens the page, or reveals an open one with the same key. */
  open(subject: Subject): WebviewTab<Subject, ToPage> {
    const key = this.kind.keyOf(subject);
    for (const { page, driver } of this.pages.values()) {
      if (this.kind.keyOf(page.subject) !== key) continue;
      page.subject = subject;
      vscode.setTexts(page.panel, { title: this.kind.titleOf(subject) });
      page.panel.reveal();
      driver.show(subject);
      return page;
    }
    const panel = vscode.window.createWebviewPanel(this.viewType, this.kind.titleOf(subject), readingColumn());
    return this.adopt(panel, subject);
  }

  private adopt(panel: vscode.WebviewPanel, subject: Subject): WebviewTab<Subject, ToPage> {
    const root = vscode.Uri.joinPath(this.services.context.extensionUri, 'dist', 'webview');
    panel.webview.options = { enableScripts: true, enableCommandUris: false, localResourceRoots: [root] };
    const icon = (name: string) => vscode.Uri.joinPath(this.services.context.extensionUri, 'media', name);
    panel.iconPath = { light: icon('distillery.svg'), dark: icon('distillery-dark.svg') };
    const page: WebviewTab<Subject, ToPage> = {
      panel,
      subject,
      post: (message) => void panel.webview.postMessage(message),
    };
    const driver = this.connect(page);
    const received = panel.webview.onDidReceiveMessage((notice) => this.receive(driver, notice));
    this.pages.set(panel, { page, driver });
    panel.onDidDispose(() => {
      this.pages.delete(panel);
      received.dispose();
      driver.dispose();
    });
    vscode.setTexts(panel, { title: this.kind.titleOf(subject) });
    panel.webview.html = htmlOf(panel.webview, root, this.kind.name, panel.title);
    return page;
  }

  private receive(driver: PageDriver<Subject, ToExtension>, value: unknown): void {
    const { log } = this.services;
    const size = JSON.stringify(value)?.length ?? 0;
    const notice = size > maxToExtension ? undefined : pageNoticeSchema.safeParse(value).data;
    if (!notice) log.warn(`${this.viewType}: refused a message of ${size} characters`);
    else if (notice.type === 'ready') driver.ready();
    else if (notice.type === 'fault') log.error(`${this.viewType}: ${notice.text}`);
    else {
      const message = this.kind.toExtension.safeParse(notice.message);
      if (message.success) driver.receive(message.data);
      else log.warn(`${this.viewType}: refused a message: ${message.error.issues[0].message}`);
    }
  }

  dispose(): void {
    this.serializer.dispose();
    for (const panel of [...this.pages.keys()]) panel.dispose();
  }
}

interface OpenPage<Subject, ToPage, ToExtension> {
  page: WebviewTab<Subject, ToPage>;
  driver: PageDriver<Subject, ToExtension>;
}

/**
 * The page's document. The content security policy allows only its own script and style, by this load's nonce, and
 * fonts of dist/webview.
 * All content arrives by message and is inserted as text nodes.
 */
function htmlOf(webview: vscode.Webview, root: vscode.Uri, name: string, title: string): string {
  const nonce = randomBytes(24).toString('base64url');
  const uri = (file: string) => escaped(webview.asWebviewUri(vscode.Uri.joinPath(root, file)).toString());
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="${escaped(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta property="csp-nonce" content="${nonce}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="stylesheet" nonce="${nonce}" href="${uri(`${name}.css`)}">
</head>
<body>
<div id="page"><p class="dim">Loading…</p></div>
<script nonce="${nonce}" src="${uri(`${name}.js`)}"></script>
</body>
</html>`;
}
