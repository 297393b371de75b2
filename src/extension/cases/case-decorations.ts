import { checkEquations } from '../../arithmetic/calculator';
import { splitChain } from '../../chain/split';
import { counterpart } from '../../chain/teacher-step';
import { clipLine } from '../shared/words';
import * as vscode from '../vscode';
import type { Case } from './case';
import type { CaseDocuments } from './case-documents';
import { paintCases } from './paint-cases';

/** Longest text shown after a step, as it does not wrap. The hover and the document have the whole step. */
const longest = 80;

/** The teacher's step where the student first goes wrong; undefined where the teacher has none. */
export function teacherStepAt({ shown, fault, teacher }: Case): string | undefined {
  if (!shown || !fault || !teacher) return undefined;
  const chain = splitChain(teacher.text);
  const at = counterpart(splitChain(shown.text), chain, fault.step);
  return at === null ? undefined : `Step ${at + 1}: ${chain.steps[at].replace(/\s+/g, ' ')}`;
}

/** A short form of the teacher's step: its equations, if it has any. */
function shortStep(step: string): string {
  const equations = checkEquations(step).map(({ left, operator, right }) => `${left} ${operator} ${right}`);
  while (equations.length > 1 && equations.join(', ').length > longest) equations.shift();
  return clipLine(equations.length > 0 ? equations.join(', ') : step, longest);
}

/** Shows the teacher's step as dim text after the first wrong step, and a bar at the edge of that step. */
export function registerDecorations(documents: CaseDocuments): vscode.Disposable {
  const teacher = vscode.window.createTextEditorDecorationType({
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    after: { color: new vscode.ThemeColor('editorCodeLens.foreground'), fontStyle: 'italic', margin: '0 0 0 2ch' },
  });
  const wrong = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    overviewRulerColor: new vscode.ThemeColor('editorWarning.foreground'),
    overviewRulerLane: vscode.OverviewRulerLane.Left,
    borderWidth: '0 0 0 3px',
    borderStyle: 'solid',
    borderColor: new vscode.ThemeColor('editorWarning.foreground'),
  });
  const painting = paintCases(documents, (editor, open) => {
    const { document } = editor;
    const { fault } = open?.case ?? {};
    const student = open?.layout.student;
    if (!open || !fault || !student) {
      vscode.window.decorate(editor, teacher, []);
      vscode.window.decorate(editor, wrong, []);
      return;
    }
    const line = document.lineAt(document.positionAt(student.start + fault.end).line);
    const step = teacherStepAt(open.case);
    const text = step && shortStep(step);
    vscode.window.decorate(editor, wrong, [{ range: line.range }]);
    vscode.window.decorate(
      editor,
      teacher,
      text
        ? [
            {
              range: new vscode.Range(line.range.end, line.range.end),
              after: `the teacher: ${text}`,
            },
          ]
        : [],
    );
  });
  return vscode.Disposable.from(teacher, wrong, painting);
}
