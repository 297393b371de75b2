import { Buffer } from 'node:buffer';
import { startingPoint } from '../../cases/rewrites';
import { UserError } from '../../errors';
import { decisionsFile, failuresFile, rewritesFile } from '../../runs/layout';
import { sentences } from '../../words';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { attempt, type Read, stampOf } from '../workspace/file-cache';
import { requireTrust } from '../workspace/trust';
import { type Case, readCase } from './case';
import { saveEdited } from './decide';
import { type CaseReference, caseScheme, documentPath, referenceAt } from './reference';
import { type CaseText, renderCase } from './text';

/** A case as it was last read, and the text of its document. */
export interface OpenCase {
  case: Case;
  layout: CaseText;
}

/**
 * A file system for case documents: a read-only one for each case, and beside it an editable one in which a person
 * writes a rewrite. They are read on demand; the editor is notified when files of the run change.
 */
export class CaseDocuments implements vscode.FileSystemProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.changed.event;
  private readonly read = new Map<string, { stamp: string; result: Read<OpenCase>; version: number }>();
  private readonly subscription: vscode.Disposable;

  constructor(private readonly services: Services) {
    this.subscription = services.runs.onDidChange((runs) => this.refresh(runs));
  }

  /** The case of a document of this scheme, or the reason why it cannot be read. Undefined for other documents. */
  at(uri: vscode.Uri): Read<OpenCase> | undefined {
    const place = uri.scheme === caseScheme ? referenceAt(uri) : undefined;
    return place && this.entry(place.reference).result;
  }

  /** @throws UserError when the case cannot be read */
  caseOf(reference: CaseReference): Case {
    const { value, problem } = this.entry(reference).result;
    if (problem) throw problem;
    return value.case;
  }

  /** Shows the effect of a command on a run at once, without waiting for the file watcher. */
  showChanged(run: string): void {
    this.services.runs.refresh(run);
    this.refresh(new Set([run]));
  }

  uriOf(reference: CaseReference, kind: 'case' | 'rewrite' = 'case'): vscode.Uri {
    return vscode.Uri.from({ scheme: caseScheme, ...documentPath(reference, kind) });
  }

  stat(uri: vscode.Uri): vscode.FileStat {
    const { text, kind, version } = this.content(uri);
    return {
      type: vscode.FileType.File,
      ctime: 0,
      mtime: version,
      size: Buffer.byteLength(text),
      permissions: kind === 'case' ? vscode.FilePermission.Readonly : undefined,
    };
  }

  readFile(uri: vscode.Uri): Uint8Array {
    return Buffer.from(this.content(uri).text);
  }

  /** Saving a rewrite accepts it as it is. */
  writeFile(uri: vscode.Uri, content: Uint8Array): void {
    const place = referenceAt(uri);
    if (place?.kind !== 'rewrite') throw vscode.FileSystemError.NoPermissions('A case is read-only.');
    const { value, problem } = this.entry(place.reference).result;
    if (problem) throw vscode.FileSystemError.Unavailable(problem.toString());
    try {
      requireTrust();
      saveEdited(value.case, Buffer.from(content).toString('utf8'));
    } catch (error) {
      throw vscode.FileSystemError.Unavailable(reasonOf(error));
    }
    this.showChanged(place.reference.run);
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => {});
  }
  readDirectory(): [string, vscode.FileType][] {
    return [];
  }
  createDirectory(): void {
    throw vscode.FileSystemError.NoPermissions();
  }
  delete(): void {
    throw vscode.FileSystemError.NoPermissions();
  }
  rename(): void {
    throw vscode.FileSystemError.NoPermissions();
  }

  /** Notifies the editor that the documents of these runs (or of all) may have changed. */
  refresh(runs: ReadonlySet<string>): void {
    const open = vscode.workspace.textDocuments.filter(({ uri }) => uri.scheme === caseScheme);
    const touched = open.filter(({ uri }) => {
      const run = referenceAt(uri)?.reference.run;
      return run !== undefined && (runs.size === 0 || runs.has(run));
    });
    if (touched.length > 0) this.changed.fire(touched.map(({ uri }) => ({ type: vscode.FileChangeType.Changed, uri })));
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }

  private content(uri: vscode.Uri): { text: string; kind: 'case' | 'rewrite'; version: number } {
    const place = referenceAt(uri);
    if (!place) throw vscode.FileSystemError.FileNotFound(uri);
    const { result, version } = this.entry(place.reference);
    if (result.problem) throw vscode.FileSystemError.Unavailable(result.problem.toString());
    const { case: shown, layout } = result.value;
    return { text: place.kind === 'case' ? layout.text : rewriteToEdit(shown), kind: place.kind, version };
  }

  private entry(reference: CaseReference) {
    const { run } = reference;
    const key = JSON.stringify(reference);
    const stamp = [failuresFile(run), rewritesFile(run), decisionsFile(run)].map(stampOf).join();
    const before = this.read.get(key);
    if (before?.stamp === stamp) return before;
    const result = attempt(run, () => {
      const shown = readCase(this.services.runs.cache, reference);
      return { case: shown, layout: renderCase(shown) };
    });
    // A modification time of our own: two versions of equal length within one millisecond must still differ.
    const version = Math.max(Date.now(), (before?.version ?? 0) + 1);
    const entry = { stamp, result, version };
    this.read.delete(key);
    this.read.set(key, entry);
    const [oldest] = this.read.keys();
    if (this.read.size > 200) this.read.delete(oldest);
    return entry;
  }
}

/** The rewrite to start from, else the teacher's chain. */
function rewriteToEdit({ rewrites, teacher }: Case): string {
  return `${(startingPoint(rewrites)?.text ?? teacher?.text ?? '').trimEnd()}\n`;
}

/** On one line, as VS Code shows it after the document's address. */
function reasonOf(error: unknown): string {
  if (!(error instanceof UserError)) return String(error);
  return sentences(error);
}
