/**
 * The editor's API for this extension. Text that is shown passes through `foreign-text` first.
 * Nothing outside this folder may import `vscode` (`.dependency-cruiser.cjs`), so other parts of the API that show text
 * are out of reach.
 */
export type {
  CancellationToken,
  DataTransfer,
  DecorationRenderOptions,
  DocumentFilter,
  DocumentSelector,
  ExtensionContext,
  FileChangeEvent,
  FileStat,
  FileSystemProvider,
  FoldingRangeProvider,
  LanguageModelChat,
  Memento,
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
export { setTexts } from './set-texts';
export type { StatusText } from './status-item';
export * from './tests';
export type { TreeDataProvider, TreeView } from './tree';
export {
  type Decoration,
  type LogOutputChannel,
  type ProgressNotification,
  type TextEditor,
  type WebviewPanel,
  window,
} from './window';
export { commands, workspace } from './workspace';
