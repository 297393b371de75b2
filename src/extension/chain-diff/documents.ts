import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { UserError } from '../../errors';
import { inertLine } from '../../foreign-text';
import { encode } from '../../json';
import { openForReadingAsync, parseJson } from '../../lines';
import { isBelow } from '../../paths';
import type { ChainView } from '../../protocol/chain-diff';
import type { ChainSubject, Origin } from '../../protocol/chain-diff-requests';
import * as vscode from '../vscode';
import type { CaseTexts } from './case-reader';

const chainScheme = 'distillery-chain';

/**
 * Read-only documents of chains, exactly as recorded, and of single records as JSON. They live as long as their tabs.
 */
export class ChainDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly contents = new Map<string, string>();
  private readonly subscriptions = [
    vscode.workspace.registerTextDocumentContentProvider(chainScheme, this),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => void this.contents.delete(uri.toString())),
  ];

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.contents.get(uri.toString()) ?? 'Open it again from the chain diff.';
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** One chain, or two in the editor's own diff. */
  async openTexts(
    subject: ChainSubject,
    texts: CaseTexts,
    left: ChainView['role'] | undefined,
    right: ChainView['role'],
  ): Promise<void> {
    const uriOf = (role: ChainView['role']) =>
      this.hold(subject, `${subject.problemId} ${role}.chain`, texts[role] ?? '', subject.moment);
    if (left === undefined || texts[left] === null) {
      await vscode.window.showTextDocument(uriOf(right), { viewColumn: vscode.ViewColumn.Beside });
      return;
    }
    const title = `${subject.problemId}: ${left} ↔ ${right}`;
    await vscode.commands.diff(uriOf(left), uriOf(right), title);
  }

  /**
   * The record that contains a number, formatted, with the number selected. @throws UserError when the run does not
   * have it
   */
  async openRecord(run: string, { file, line, field }: Origin): Promise<void> {
    if (!isBelow(run, file)) throw new UserError('the record is not in the run', { file });
    if (line === undefined) {
      await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(file));
      return;
    }
    const record = parseJson(await readLine(file, line), { file, line, code: 'run' });
    const text = layOutRecord(record);
    const uri = this.hold({ run }, `${basename(file, '.jsonl')} line ${line}.json`, text, file);
    const at = field === undefined ? -1 : text.indexOf(`\n  ${JSON.stringify(field)}:`);
    const editor = await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.Beside });
    if (at < 0) return;
    const start = editor.document.positionAt(at + 3);
    editor.selection = new vscode.Selection(start, editor.document.lineAt(start).range.end);
    editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenter);
  }

  private hold(place: { run: string }, name: string, text: string, query = ''): vscode.Uri {
    const path = `/${inertLine(name).replace(/[\\/:*?"<>|]/g, '_')}`;
    const uri = vscode.Uri.from({ scheme: chainScheme, path, query: JSON.stringify([place.run, query]) });
    this.contents.set(uri.toString(), text);
    return uri;
  }
}

/** Indented, but with each list on one line: a list of tokens would take thousands of lines. */
function layOutRecord(record: unknown): string {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return `${encode(record)}\n`;
  const fields = Object.entries(record).map(([name, value]) => `  ${JSON.stringify(name)}: ${encode(value)}`);
  return `{\n${fields.join(',\n')}\n}\n`;
}

async function readLine(file: string, wanted: number): Promise<string> {
  const handle = await openForReadingAsync(file);
  const stream = handle.createReadStream({ encoding: 'utf8' });
  let number = 0;
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }))
      if (++number === wanted) return line;
  } finally {
    stream.destroy();
  }
  throw new UserError('the record is no longer there', { file, line: wanted, code: 'run' });
}
