import { minus, percent } from '../../words';
import { paintEditors } from '../shared/painting';
import * as vscode from '../vscode';
import { md } from '../vscode/markdown';
import { probabilityMarks, type SampledText } from './marks';

/** Underlines the tokens that the student was unsure of; the hover shows their probability. */
export class AnswerMarks implements vscode.Disposable {
  private readonly type = vscode.window.createTextEditorDecorationType({
    textDecoration: 'underline dotted',
    overviewRulerColor: new vscode.ThemeColor('editorWarning.foreground'),
    overviewRulerLane: vscode.OverviewRulerLane.Right,
  });
  private readonly answers = new WeakMap<vscode.TextDocument, Map<number, readonly SampledText[]>>();
  private readonly painting = paintEditors((editor) => this.paint(editor));

  dispose(): void {
    this.type.dispose();
    this.painting.dispose();
  }

  set(document: vscode.TextDocument, number: number, answers: readonly SampledText[]): void {
    const known = this.answers.get(document) ?? new Map<number, readonly SampledText[]>();
    this.answers.set(document, known.set(number, answers));
    this.painting.again();
  }

  private paint(editor: vscode.TextEditor): void {
    const known = this.answers.get(editor.document);
    if (!known) return;
    const page = editor.document.getText();
    const marks = [...known].flatMap(([number, answers]) => probabilityMarks(page, number, answers));
    vscode.window.decorate(
      editor,
      this.type,
      marks.map(({ line, start, end, probability }) => ({
        range: new vscode.Range(line, start, line, end),
        hover: [md`probability ${percent(probability)}, log-prob ${minus(Math.log(probability).toFixed(2))}`],
      })),
    );
  }
}
