/** The part of the editor's window API in use; all text passes through `foreign-text` here. */
import * as editor from 'vscode';
import { inert, inertLine, visible } from '../../foreign-text';
import type { Markdown } from './markdown';
import { markdown } from './objects';
import { showInputBox, showOpenDialog, showQuickPick, showSaveDialog } from './questions';
import type { Sealed } from './set-texts';
import { createStatusItem } from './status-item';
import { createTreeView } from './tree';

export type TextEditor = Omit<editor.TextEditor, 'setDecorations' | 'insertSnippet'>;
export type WebviewPanel = Sealed<editor.WebviewPanel, 'title'>;
export type ProgressNotification = editor.Progress<{ message?: string; increment?: number }>;

/** The log for users. */
export interface LogOutputChannel extends Pick<editor.LogOutputChannel, 'show' | 'dispose'> {
  trace(text: string): void;
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(error: string | Error): void;
}

function createOutputChannel(name: string): LogOutputChannel {
  const channel = editor.window.createOutputChannel(name, { log: true });
  return {
    trace: (text) => channel.trace(visible(text)),
    debug: (text) => channel.debug(visible(text)),
    info: (text) => channel.info(visible(text)),
    warn: (text) => channel.warn(visible(text)),
    error: (error) => channel.error(visible(error instanceof Error ? (error.stack ?? error.message) : error)),
    show: () => channel.show(),
    dispose: () => channel.dispose(),
  };
}

interface Modal {
  modal: true;
  detail?: string;
}
/** A notification shows at least this many characters, in any window. */
const oneLine = 50;
type Button = string | editor.MessageItem;

/** Shows a notification or dialog and resolves to the chosen button. */
const message =
  (kind: 'showInformationMessage' | 'showWarningMessage' | 'showErrorMessage') =>
  async <B extends Button>(text: string, ...rest: B[] | [Modal, ...B[]]): Promise<B | undefined> => {
    const [first, ...others] = rest;
    const modal = typeof first === 'object' && 'modal' in first ? first : undefined;
    const buttons = (modal ? others : rest) as B[];
    // VS Code cuts a notification without buttons after its first line, which would hide the remedy.
    const closes = modal === undefined && buttons.length === 0 && text.length > oneLine;
    const shown = (closes ? ['OK'] : buttons).map((button) => ({
      title: inertLine(typeof button === 'string' ? button : button.title),
    }));
    const options = { modal: modal !== undefined, detail: modal?.detail && inert(modal.detail) };
    const chosen = await editor.window[kind](inertLine(text), options, ...shown);
    return chosen && buttons[shown.indexOf(chosen)];
  };

interface ProgressOptions extends editor.ProgressOptions {
  title?: string;
}

function withProgress<R>(
  { title, ...options }: ProgressOptions,
  task: (progress: ProgressNotification, token: editor.CancellationToken) => Thenable<R>,
): Thenable<R> {
  return editor.window.withProgress({ ...options, title: title && inertLine(title) }, (progress, token) => {
    const report: ProgressNotification['report'] = ({ message: said, increment }) =>
      progress.report({ message: said && inertLine(said), increment });
    return task({ report }, token);
  });
}

/** A range, with text before and after it and a hover message. */
export interface Decoration {
  range: editor.Range;
  hover?: readonly Markdown[];
  before?: string;
  after?: string;
}

const written = (text: string | undefined) =>
  text === undefined || text === '' ? undefined : { contentText: visible(text).replace(/\n/g, ' ') };

function decorate(on: TextEditor, type: editor.TextEditorDecorationType, decorations: readonly Decoration[]): void {
  (on as editor.TextEditor).setDecorations(
    type,
    decorations.map(({ range, hover, before, after }) => ({
      range,
      hoverMessage: hover?.map(markdown),
      renderOptions: { before: written(before), after: written(after) },
    })),
  );
}

export const window = {
  createOutputChannel,
  createStatusItem,
  createTreeView,
  decorate,
  showInputBox,
  showOpenDialog,
  showQuickPick,
  showSaveDialog,
  withProgress,
  showInformationMessage: message('showInformationMessage'),
  showWarningMessage: message('showWarningMessage'),
  showErrorMessage: message('showErrorMessage'),
  setStatusBarMessage: (text: string, ms: number) => editor.window.setStatusBarMessage(inertLine(text), ms),
  createWebviewPanel: (viewType: string, title: string, column: editor.ViewColumn): WebviewPanel =>
    editor.window.createWebviewPanel(viewType, inertLine(title), column),
  registerWebviewPanelSerializer: editor.window.registerWebviewPanelSerializer,
  createTextEditorDecorationType: editor.window.createTextEditorDecorationType,
  showTextDocument: editor.window.showTextDocument as (
    document: editor.TextDocument | editor.Uri,
    options?: editor.TextDocumentShowOptions,
  ) => Thenable<TextEditor>,
  showWorkspaceFolderPick: editor.window.showWorkspaceFolderPick,
  onDidChangeVisibleTextEditors: editor.window.onDidChangeVisibleTextEditors as editor.Event<readonly TextEditor[]>,
  onDidChangeTextEditorVisibleRanges: editor.window.onDidChangeTextEditorVisibleRanges as editor.Event<{
    readonly textEditor: TextEditor;
  }>,
  get activeTextEditor(): TextEditor | undefined {
    return editor.window.activeTextEditor;
  },
  get visibleTextEditors(): readonly TextEditor[] {
    return editor.window.visibleTextEditors;
  },
  get tabGroups(): editor.TabGroups {
    return editor.window.tabGroups;
  },
};
