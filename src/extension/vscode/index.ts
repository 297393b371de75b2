/**
 * The editor's API as this extension uses it: where it shows text, the text passes through `foreign-text` first.
 * Nothing outside of this folder imports `vscode` itself (`.dependency-cruiser.cjs`), and what shows text and is not
 * here cannot be reached.
 */
export type {
  CancellationToken,
  DataTransfer,
  DecorationRenderOptions,
  Disposable as DisposableLike,
  DocumentFilter,
  DocumentSelector,
  Event,
  ExtensionContext,
  FileChangeEvent,
  FileStat,
  FileSystemProvider,
  FoldingRangeProvider,
  LanguageModelChat,
  MarkdownString,
  Memento,
  OpenDialogOptions,
  SecretStorage,
  TestItemCollection,
  TestRunRequest,
  TextDocument,
  TextDocumentContentProvider,
  TextEditorDecorationType,
  TreeDragAndDropController,
  Webview,
  WorkspaceFolder,
} from 'vscode';
export {
  CancellationError,
  CancellationTokenSource,
  CodeActionKind,
  CompletionItemKind,
  ConfigurationTarget,
  DataTransferItem,
  DecorationRangeBehavior,
  DiagnosticSeverity,
  Disposable,
  EventEmitter,
  env,
  FileChangeType,
  FilePermission,
  FileSystemError,
  FileType,
  FoldingRange,
  FoldingRangeKind,
  LanguageModelChatMessage,
  LanguageModelError,
  Location,
  l10n,
  lm,
  OverviewRulerLane,
  Position,
  ProgressLocation,
  QuickPickItemKind,
  Range,
  Selection,
  SymbolKind,
  TabInputText,
  TextEditorRevealType,
  ThemeColor,
  ThemeIcon,
  TreeItemCollapsibleState,
  UIKind,
  Uri,
  ViewColumn,
  version,
  WorkspaceEdit,
} from 'vscode';
export * from './languages';
export * from './objects';
export { GrowingList, type QuickPickItem } from './questions';
export { say } from './say';
export type { StatusText } from './status-item';
export * from './tests';
export type { TreeDataProvider, TreeView } from './tree';
export {
  type Decoration,
  type LogOutputChannel,
  type Progress,
  type TextEditor,
  type WebviewPanel,
  window,
} from './window';
export { commands, workspace } from './workspace';
