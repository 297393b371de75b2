import { randomBytes } from 'node:crypto';
import type * as z from 'zod';
import { maxToExtension, pageNoticeSchema, pageStateSchema } from '../protocol/page';
import { readingColumn } from './reading-column';
import type { Services } from './services';
import * as vscode from './vscode';

/** A kind of page: `dist/webview/<name>.js` and `.css`, and what passes between it and the extension. */
export interface PageKind<Subject, ToPage, ToExtension> {
  /** Name of its folder in webview/. The view type is `distillery.<name>`. */
  name: string;
  /** What one page is about, such as a run and a problem. Lies in the page's state, so that a reload opens it again. */
  subject: z.ZodType<Subject>;
  toExtension: z.ZodType<ToExtension>;
  /** Types what is posted; the page checks it by the same schema. */
  toPage: z.ZodType<ToPage>;
  /** Pages are told apart by this: opening a subject with the key of an open page reveals that page. */
  keyOf(subject: Subject): string;
  titleOf(subject: Subject): string;
}

/** An open page. Lives as long as its tab. */
export interface Page<Subject, ToPage> {
  panel: vscode.WebviewPanel;
  /** What it was opened for last; set it when the page moves on, so that its key stays true. */
  subject: Subject;
  /** Lost while the page is hidden: `ready` comes when it is shown again, and then everything must be sent anew. */
  post(message: ToPage): void;
}

/** What drives a page, made when the page is opened and disposed of with it. */
export interface PageDriver<Subject, ToExtension> extends vscode.Disposable {
  /** The page was loaded, or loaded again: it knows nothing. */
  ready(): void;
  receive(message: ToExtension): void;
  /** The page was open and is now wanted for this subject (of the same key). */
  show(subject: Subject): void;
}

/** All open pages of a kind. Registers the serializer that brings them back after a reload of the window. */
export class WebviewPages<Subject, ToPage, ToExtension> implements vscode.Disposable {
  private readonly pages = new Map<vscode.WebviewPanel, OpenPage<Subject, ToPage, ToExtension>>();
  private readonly serializer: vscode.Disposable;

  constructor(
    private readonly services: Services,
    private readonly kind: PageKind<Subject, ToPage, ToExtension>,
    private readonly connect: (page: Page<Subject, ToPage>) => PageDriver<Subject, ToExtension>,
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

  /** Opens the page, or reveals the one that is open for the same key. */
  open(subject: Subject, column = readingColumn()): Page<Subject, ToPage> {
    const key = this.kind.keyOf(subject);
    for (const { page, driver } of this.pages.values()) {
      if (this.kind.keyOf(page.subject) !== key) continue;
      page.subject = subject;
      vscode.say(page.panel, { title: this.kind.titleOf(subject) });
      page.panel.reveal();
      driver.show(subject);
      return page;
    }
    const panel = vscode.window.createWebviewPanel(this.viewType, this.kind.titleOf(subject), column);
    return this.adopt(panel, subject);
  }

  private adopt(panel: vscode.WebviewPanel, subject: Subject): Page<Subject, ToPage> {
    const root = vscode.Uri.joinPath(this.services.context.extensionUri, 'dist', 'webview');
    panel.webview.options = { enableScripts: true, enableCommandUris: false, localResourceRoots: [root] };
    const icon = (name: string) => vscode.Uri.joinPath(this.services.context.extensionUri, 'media', name);
    panel.iconPath = { light: icon('distillery.svg'), dark: icon('distillery-dark.svg') };
    const page: Page<Subject, ToPage> = {
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
    vscode.say(panel, { title: this.kind.titleOf(subject) });
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
  page: Page<Subject, ToPage>;
  driver: PageDriver<Subject, ToExtension>;
}

/**
 * The page's document: nothing may load but its own script and style by this load's nonce, and fonts of dist/webview.
 * Everything that is shown comes by message and enters as text nodes.
 */
function htmlOf(webview: vscode.Webview, root: vscode.Uri, name: string, title: string): string {
  const nonce = randomBytes(24).toString('base64url');
  const uri = (file: string) => escapeHtml(webview.asWebviewUri(vscode.Uri.joinPath(root, file)).toString());
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="${escapeHtml(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta property="csp-nonce" content="${nonce}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" nonce="${nonce}" href="${uri(`${name}.css`)}">
</head>
<body>
<div id="page"><p class="dim">Loading…</p></div>
<script nonce="${nonce}" src="${uri(`${name}.js`)}"></script>
</body>
</html>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
