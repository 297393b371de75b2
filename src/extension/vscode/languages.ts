/** The language features in use. Their providers return only objects of `./objects`. */
import * as editor from 'vscode';
import type {
  CodeAction,
  CodeLens,
  CompletionItem,
  Diagnostic,
  DocumentLink,
  DocumentSymbol,
  Hover,
  InlayHint,
} from './objects';

type Provided<T> = T | undefined | Promise<T | undefined>;
type Document = editor.TextDocument;
type Register<P> = (selector: editor.DocumentSelector, provider: P) => editor.Disposable;

export interface CodeLensProvider {
  onDidChangeCodeLenses?: editor.Event<void>;
  provideCodeLenses(document: Document): Provided<CodeLens[]>;
}
export interface DocumentLinkProvider {
  provideDocumentLinks(document: Document): Provided<DocumentLink[]>;
}
export interface DocumentSymbolProvider {
  provideDocumentSymbols(document: Document): Provided<DocumentSymbol[]>;
}
export interface CodeActionProvider {
  provideCodeActions(
    document: Document,
    range: editor.Range,
    context: editor.CodeActionContext,
  ): Provided<CodeAction[]>;
}
export interface CompletionItemProvider {
  provideCompletionItems(document: Document, position: editor.Position): Provided<CompletionItem[]>;
}
interface HoverProvider {
  provideHover(document: Document, position: editor.Position): Provided<Hover>;
}
interface InlayHintsProvider {
  provideInlayHints(document: Document, range: editor.Range): Provided<InlayHint[]>;
}

export interface DiagnosticCollection extends Omit<editor.DiagnosticCollection, 'set'> {
  set(uri: editor.Uri, diagnostics: readonly Diagnostic[]): void;
  set(entries: readonly [editor.Uri, Diagnostic[]][]): void;
}

const { languages: real } = editor;

export const languages = {
  match: real.match,
  createDiagnosticCollection: (name: string): DiagnosticCollection => real.createDiagnosticCollection(name),
  registerCodeLensProvider: real.registerCodeLensProvider as Register<CodeLensProvider>,
  registerDocumentLinkProvider: real.registerDocumentLinkProvider as Register<DocumentLinkProvider>,
  registerDocumentSymbolProvider: real.registerDocumentSymbolProvider as Register<DocumentSymbolProvider>,
  registerHoverProvider: real.registerHoverProvider as Register<HoverProvider>,
  registerInlayHintsProvider: real.registerInlayHintsProvider as Register<InlayHintsProvider>,
  registerFoldingRangeProvider: real.registerFoldingRangeProvider,
  registerCodeActionsProvider: real.registerCodeActionsProvider as (
    selector: editor.DocumentSelector,
    provider: CodeActionProvider,
    metadata: editor.CodeActionProviderMetadata,
  ) => editor.Disposable,
  registerCompletionItemProvider: real.registerCompletionItemProvider as (
    selector: editor.DocumentSelector,
    provider: CompletionItemProvider,
    ...triggers: string[]
  ) => editor.Disposable,
};
