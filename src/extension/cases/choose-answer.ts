import * as vscode from 'vscode';
import { rolloutRecordSchema } from '../../runs/records';
import { ProblemIndex } from '../chain-diff/problem-index';
import { clip } from '../words';
import { answerOfRollout, type Case, type CaseAnswer } from './case';

const { t } = vscode.l10n;

/** Updates, from the newest back, whose completions of a problem are offered. */
const updates = 4;

/** Asks which of a case's answers to show: the recorded ones, and the newest completions of training. Undefined when none is chosen. */
export async function chooseAnswer(shown: Case): Promise<CaseAnswer['place'] | undefined> {
  const pick = vscode.window.createQuickPick<vscode.QuickPickItem & { place?: CaseAnswer['place'] }>();
  pick.title = t('Answers to {0}', shown.reference.problemId);
  pick.placeholder = t('Which answer to show');
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.items = shown.answers.filter(({ rollout }) => !rollout).map(itemOf);
  pick.busy = true;
  pick.show();
  try {
    const chosen = new Promise<CaseAnswer['place'] | undefined>((resolve) => {
      pick.onDidAccept(() => resolve(pick.selectedItems[0]?.place));
      pick.onDidHide(() => resolve(undefined));
    });
    const more = newestCompletions(shown).then(
      (found) => {
        const heading = { label: t('From training'), kind: vscode.QuickPickItemKind.Separator };
        if (found.length > 0) pick.items = [...pick.items, heading, ...found.map(itemOf)];
        pick.busy = false;
      },
      (error) => {
        pick.title = t('Completions cannot be read: {0}', clip(String(error), 120));
        pick.busy = false;
      },
    );
    const place = await chosen;
    void more;
    return place;
  } finally {
    pick.dispose();
  }
}

function itemOf({ label, text, correct, tokens, unit, answer, finished, place }: CaseAnswer) {
  const verdict = correct ? '$(pass) right' : finished ? '$(error) wrong' : '$(error) cut off';
  return {
    label,
    description: `${verdict}, ${tokens} ${unit ?? 'tokens'}${answer === null ? '' : `, answers ${clip(answer, 30)}`}`,
    detail: clip(text, 160),
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
