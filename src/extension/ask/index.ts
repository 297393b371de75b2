import { UserError } from '../../errors';
import { chainLanguage } from '../cases/chain-outline';
import { named } from '../commands/arguments';
import { command, trustedCommand } from '../commands/report';
import { pickStudent, studentTitle } from '../runs/students';
import type { Services } from '../services';
import { setting } from '../shared/settings';
import * as vscode from '../vscode';
import { type AskSampling, ask, type UnderWay } from './ask';
import { AnswerMarks } from './decorations';
import { blockOf, questionAt, questions } from './page';

const selector: vscode.DocumentSelector = [
  { language: chainLanguage, scheme: 'untitled' },
  { language: chainLanguage, scheme: 'file' },
];

/**
 * Ask Student: a page of questions with answers below each. It is ordinary text, so a question can be edited, asked
 * again (of another student too), and saved.
 */
export function registerAsk(services: Services): vscode.Disposable {
  const marks = new AnswerMarks();
  const changed = new vscode.EventEmitter<void>();
  const students = new Map<string, string>();
  const underWay = new Map<string, UnderWay>();
  const underWayIn = ({ uri }: vscode.TextDocument): UnderWay => {
    const known = underWay.get(uri.toString()) ?? new Map();
    underWay.set(uri.toString(), known);
    return known;
  };

  const choose = async (document: vscode.TextDocument, checkpoint?: string) => {
    const chosen = checkpoint ?? (await pickStudent(services, 'Ask Student'));
    if (!chosen) return undefined;
    students.set(document.uri.toString(), chosen);
    changed.fire();
    return chosen;
  };
  const askAt = async (line: number | undefined, sampling: Partial<AskSampling>) => {
    const editor = vscode.window.activeTextEditor;
    if (!editor || !vscode.languages.match(selector, editor.document)) return;
    const { document } = editor;
    const question = questionAt(document.getText(), line ?? editor.selection.active.line);
    if (!question?.text)
      throw new UserError('there is no question at the cursor', {
        code: 'input',
        remedy: 'Write a line "Question: ..." first.',
      });
    const checkpoint = students.get(document.uri.toString()) ?? (await choose(document));
    if (!checkpoint) return;
    const temperature = setting('ask.temperature', 1);
    const asking = { checkpoint, samples: 1, temperature, ...sampling, underWay: underWayIn(document) };
    try {
      const result = await ask(services, document, question, asking);
      if (result) marks.set(document, result.number, result.answers);
    } finally {
      changed.fire();
    }
  };

  return vscode.Disposable.from(
    marks,
    changed,
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      students.delete(uri.toString());
      underWay.delete(uri.toString());
    }),
    trustedCommand(services, 'distillery.askStudent', async (argument: unknown) => {
      const checkpoint = named(argument, 'checkpoint').checkpoint ?? (await pickStudent(services, 'Ask Student'));
      if (checkpoint) await choose(await openPage(students), checkpoint);
    }),
    trustedCommand(services, 'distillery.askQuestion', (line?: unknown) =>
      askAt(typeof line === 'number' ? line : undefined, { temperature: 0 }),
    ),
    trustedCommand(services, 'distillery.askSamples', (line?: unknown) =>
      askAt(typeof line === 'number' ? line : undefined, { samples: setting('ask.samples', 4) }),
    ),
    command(services, 'distillery.stopAsking', async (number: unknown) => {
      const document = vscode.window.activeTextEditor?.document;
      if (!document) return;
      for (const [each, abort] of underWayIn(document))
        if (typeof number !== 'number' || each === number) abort.abort();
    }),
    command(services, 'distillery.chooseAskedStudent', async () => {
      const document = vscode.window.activeTextEditor?.document;
      if (document && vscode.languages.match(selector, document)) await choose(document);
    }),
    vscode.languages.registerCodeLensProvider(selector, {
      onDidChangeCodeLenses: changed.event,
      provideCodeLenses(document) {
        if (!vscode.workspace.isTrusted) return [];
        const page = document.getText();
        const student = students.get(document.uri.toString());
        return [...askLenses(page, student), ...stopLenses(page, underWayIn(document))];
      },
    }),
  );
}

/** Above each question: commands to ask it and to choose the student. */
function askLenses(page: string, student: string | undefined): vscode.CodeLens[] {
  return questions(page).flatMap(({ line, text }) => {
    const lens = (title: string, command: string, icon?: string) =>
      new vscode.CodeLens(line, { icon, title, command, args: [line] });
    const who = lens(student ? studentTitle(student) : 'Choose a Student…', 'distillery.chooseAskedStudent');
    if (text === '') return [who];
    return [
      lens('Ask', 'distillery.askQuestion', 'play'),
      lens(`${setting('ask.samples', 4)} samples`, 'distillery.askSamples'),
      who,
    ];
  });
}

/** Above each answer in progress: a command to stop it. */
function stopLenses(page: string, underWay: UnderWay): vscode.CodeLens[] {
  return [...underWay.keys()].flatMap((number) => {
    const line = blockOf(page, number)?.from;
    if (line === undefined) return [];
    const stop = { icon: 'debug-stop', title: 'Stop', command: 'distillery.stopAsking', args: [number] };
    return [new vscode.CodeLens(line, stop)];
  });
}

/** A page with room for a new question: the active one if it is a page, else a new one. */
async function openPage(students: ReadonlyMap<string, string>): Promise<vscode.TextDocument> {
  const front = vscode.window.activeTextEditor;
  if (front && students.has(front.document.uri.toString())) {
    const { document } = front;
    const last = questions(document.getText()).at(-1);
    if (last?.text !== '') {
      const end = document.lineAt(document.lineCount - 1).range.end;
      await front.edit((edit) =>
        edit.insert(end, `${document.lineAt(end.line).isEmptyOrWhitespace ? '' : '\n\n'}Question: `),
      );
    }
    return revealEnd(front);
  }
  const document = await vscode.workspace.openTextDocument({ language: chainLanguage, content: 'Question: ' });
  return revealEnd(await vscode.window.showTextDocument(document));
}

function revealEnd(editor: vscode.TextEditor): vscode.TextDocument {
  const end = editor.document.lineAt(editor.document.lineCount - 1).range.end;
  editor.selection = new vscode.Selection(end, end);
  editor.revealRange(new vscode.Range(end, end));
  return editor.document;
}
