import { basename } from 'node:path';
import type { Services } from '../services';
import { paintEditors } from '../shared/painting';
import * as vscode from '../vscode';
import { Markdown, paragraphs } from '../vscode/markdown';
import { answersTo, type DatasetMark, datasetMarks, type KnownAnswers } from './dataset-marks';
import { datasetRows } from './dataset-rows';

/** Lines beyond the visible range that are marked too, so that scrolling shows marks at once. */
const linesBeyondView = 100;
/** At most this many rows get a lens of their own, as each lens takes a line. */
const mostLenses = 200;
const setting = 'distillery.cases.inDatasets';

const isDataset = ({ uri, fileName }: vscode.TextDocument) => uri.scheme === 'file' && fileName.endsWith('.jsonl');

/** At each problem of a dataset: how the student answered it, and a link to the case. */
export function registerDatasetLines({ runs, context }: Services): vscode.Disposable {
  const styles = {
    right: styleOf(context, 'right', 'testing.iconPassed'),
    wrong: styleOf(context, 'wrong', 'testing.iconFailed'),
  };
  const changed = new vscode.EventEmitter<void>();

  const known = (document: vscode.TextDocument): KnownAnswers | undefined =>
    isDataset(document) && vscode.workspace.getConfiguration().get<boolean>(setting)
      ? answersTo(document.fileName, runs.list(), runs.cache)
      : undefined;
  const marks = (document: vscode.TextDocument, from: number, to: number) => {
    const answers = known(document);
    if (!answers) return undefined;
    const lines = document.getText().split(/\r?\n/);
    return { run: answers.run, marks: datasetMarks(datasetRows(document.fileName, lines, from, to), answers) };
  };

  const decorate = (editor: vscode.TextEditor) => {
    if (!isDataset(editor.document)) return;
    const from = Math.min(...editor.visibleRanges.map(({ start }) => start.line)) - linesBeyondView;
    const to = Math.max(...editor.visibleRanges.map(({ end }) => end.line)) + linesBeyondView;
    const found = marks(editor.document, Math.max(0, from), to);
    for (const right of [true, false])
      vscode.window.decorate(
        editor,
        right ? styles.right : styles.wrong,
        (found?.marks ?? [])
          .filter((mark) => mark.right === right)
          .map((mark) => decoration(editor.document, mark, found!.run)),
      );
  };
  const painting = paintEditors(decorate);
  const all = () => {
    changed.fire();
    painting.again();
  };

  const lenses: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses(document) {
      const found = marks(document, 0, document.lineCount);
      const isOfTeacher = vscode.workspace.isTrusted && document.fileName.endsWith('.chains.jsonl');
      return [...(isOfTeacher ? [experimentLens(document)] : []), ...(found ? caseLenses(found) : [])];
    },
  };

  return vscode.Disposable.from(
    styles.right,
    styles.wrong,
    changed,
    painting,
    vscode.languages.registerCodeLensProvider({ scheme: 'file', pattern: '**/*.jsonl' }, lenses),
    runs.onDidChange(all),
    vscode.workspace.onDidGrantWorkspaceTrust(all),
    vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => decorate(textEditor)),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(setting)) all();
    }),
  );
}

function styleOf({ extensionUri }: Services['context'], name: 'right' | 'wrong', colour: string) {
  return vscode.window.createTextEditorDecorationType({
    gutterIconPath: vscode.Uri.joinPath(extensionUri, 'media', `${name}.svg`),
    gutterIconSize: '70%',
    overviewRulerColor: name === 'wrong' ? new vscode.ThemeColor(colour) : undefined,
    after: { color: new vscode.ThemeColor('editorCodeLens.foreground'), margin: '0 0 0 2ch' },
  });
}

function experimentLens({ uri }: vscode.TextDocument): vscode.CodeLens {
  const title = 'New Experiment With These Chains';
  return new vscode.CodeLens(0, { icon: 'beaker', title, command: 'distillery.newExperiment', args: [uri] });
}

function caseLenses({ run, marks }: { run: string; marks: DatasetMark[] }): vscode.CodeLens[] {
  return marks
    .filter(({ right }) => !right)
    .slice(0, mostLenses)
    .map(({ line, problemId }) => {
      const title = `Open case ${problemId}`;
      const args = [{ run, problemId }];
      return new vscode.CodeLens(line, { icon: 'error', title, command: 'distillery.openCase', args });
    });
}

function decoration(document: vscode.TextDocument, mark: DatasetMark, run: string): vscode.Decoration {
  const { line, text, problemId, answer } = mark;
  const { range } = document.lineAt(line);
  const link = Markdown.link('Open the case', 'distillery.openCase', { run, problemId });
  const chain = Markdown.code(answer.record.text.slice(0, 4000), 'reasoning-chain');
  // Two messages, as the one with the student's text must not run commands.
  return { range, hover: [link, paragraphs(text, `${answer.source} of ${basename(run)}`, chain)], after: text };
}
