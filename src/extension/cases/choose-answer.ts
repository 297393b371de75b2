import { rolloutRecordSchema } from '../../runs/records';
import { ProblemIndex } from '../chain-diff/problem-index';
import { clipLine } from '../shared/words';
import * as vscode from '../vscode';
import { answerOfRollout, type Case, type CaseAnswer } from './case';

/** Completions are offered from this many updates, newest first. */
const updates = 4;

/**
 * Asks which answer of a case to show: the recorded ones and the newest training completions. Undefined when dismissed.
 */
export async function chooseAnswer(shown: Case): Promise<CaseAnswer['place'] | undefined> {
  const list = new vscode.GrowingList<AnswerItem>({
    title: `Answers to ${shown.reference.problemId}`,
    placeHolder: 'Which answer do you want to see?',
  });
  list.add(shown.answers.filter(({ rollout }) => !rollout).map(itemOf));
  void newestCompletions(shown)
    .then(
      (found) => {
        const heading = { label: 'From training', kind: vscode.QuickPickItemKind.Separator };
        if (found.length > 0) list.add([heading, ...found.map(itemOf)]);
      },
      (error) => list.setTitle(`Completions cannot be read: ${clipLine(String(error), 120)}`),
    )
    .then(() => list.complete());
  return (await list.choose())?.place;
}

interface AnswerItem extends vscode.QuickPickItem {
  place?: CaseAnswer['place'];
}

function itemOf({ label, text, correct, tokens, unit, answer, finished, place }: CaseAnswer): AnswerItem {
  const wrong = finished ? 'wrong' : 'cut off';
  const verdict = correct ? 'right' : wrong;
  const said = answer === null ? '' : `, answers ${clipLine(answer, 30)}`;
  return {
    label,
    icon: correct ? 'pass' : 'error',
    description: `${verdict}, ${tokens} ${unit ?? 'tokens'}${said}`,
    detail: clipLine(text, 160),
    place,
  };
}

async function newestCompletions({ reference: { run, problemId } }: Case): Promise<CaseAnswer[]> {
  const index = new ProblemIndex(run);
  await index.refresh();
  const sources = index.sources(problemId).flatMap((source) => (source.kind === 'rollouts' ? [source] : []));
  const found: CaseAnswer[] = [];
  for (const { file } of sources.reverse().slice(0, updates))
    for (const { record } of await index.read(file, problemId, rolloutRecordSchema))
      found.push(answerOfRollout(record));
  return found;
}
