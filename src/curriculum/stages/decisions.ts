import { sameAnswer } from '../../answers/equal';
import { extractAnswer } from '../../answers/extract';
import { type Decisions, decisionsOf, readableDecisions } from '../../runs/decisions';
import { runOfCheckpoint } from '../../runs/reading';
import type { RewriteDecision } from '../../runs/records';
import { plural } from '../../words';
import { type Context, note } from '../context';
import { textTokens } from '../lessons/completions';

/** A completion (with end token) to learn from the plain question of training row `row`. */
export type TaughtRewrite = [row: number, completion: number[]];

/**
 * People's decisions about the cases of this run, and of the earlier run that its student comes from. Unreadable ones
 * are skipped with a warning.
 */
export function decisionsFor({ experiment, run, notify }: Context): Decisions {
  const earlier = runOfCheckpoint(experiment.student.path);
  const runs = [...(earlier ? [earlier] : []), run.folder];
  return decisionsOf(readableDecisions(runs, (text) => note(notify, text, 'warning')));
}

/**
 * Training rows that a person added to Stage 3. A problem counts if id and question are unchanged and it has a teacher
 * chain.
 */
export function pickedRows({ train, notify }: Context, { picked }: Pick<Decisions, 'picked'>): number[] {
  if (picked.size === 0) return [];
  const rows = train.flatMap(({ problem, chain }, row) =>
    chain && picked.get(problem.id) === problem.question ? [row] : [],
  );
  const missing = picked.size - rows.length;
  note(notify, `${plural(rows.length, 'problem')} added by hand`);
  if (missing > 0)
    note(
      notify,
      `${plural(missing, 'added problem')} skipped: not among the training rows with a teacher chain`,
      'warning',
    );
  return rows;
}

/**
 * The text of the step that a person marked as the first wrong one, by problem id; Stage 3 includes it in its prompt.
 * If the question has changed, it is another problem.
 */
export function markedSteps({ train, notify }: Context, { steps }: Pick<Decisions, 'steps'>): Map<string, string> {
  if (steps.size === 0) return new Map();
  const marked = train.flatMap(({ problem: { id, question } }): [string, string][] => {
    const mark = steps.get(id);
    return mark?.text && mark.question === question ? [[id, mark.text]] : [];
  });
  note(notify, `steps marked by hand as wrong, for rewriting prompts: ${marked.length}`);
  return new Map(marked);
}

/** Texts that a person rejected as rewrites of a problem. */
export function rejectedTexts({ rewrites }: Pick<Decisions, 'rewrites'>, problemId: string): Set<string> {
  const decided = rewrites.get(problemId) ?? [];
  return new Set(decided.filter(({ verdict }) => verdict === 'rejected').map(({ text }) => text));
}

/**
 * The rewrites to train on, at most `most` per problem: first those that people accepted or wrote, then collected ones
 * that no person rejected. A text with a wrong answer is never used, even if a person accepted it.
 */
export function withVerdicts(
  context: Context,
  collected: readonly TaughtRewrite[],
  decisions: Pick<Decisions, 'picked' | 'rewrites'>,
  most: number,
): readonly TaughtRewrite[] {
  if (decisions.rewrites.size === 0) return collected;
  const { train, tokenizer, notify } = context;
  const chosen: TaughtRewrite[] = [];
  const texts = new Map<number, Set<string>>();
  const wrong: string[] = [];
  const take = (row: number, text: string, completion: number[]) => {
    const known = texts.get(row) ?? new Set();
    if (known.size >= most || known.has(text)) return;
    texts.set(row, known.add(text));
    chosen.push([row, completion]);
  };
  for (const [row, { problem }] of train.entries()) {
    for (const { text, verdict, question } of decisions.rewrites.get(problem.id) ?? []) {
      if (!isAcceptance(verdict) || question !== problem.question) continue;
      const answer = extractAnswer(text, 'strict');
      if (answer && sameAnswer(answer.value, problem.answer)) take(row, text, textTokens(tokenizer, text));
      else wrong.push(problem.id);
    }
  }
  const accepted = chosen.length;
  for (const [row, completion] of collected) {
    const ended = tokenizer.eosIds.includes(completion.at(-1)!);
    const text = tokenizer.decode(ended ? completion.slice(0, -1) : completion);
    if (!rejectedTexts(decisions, train[row].problem.id).has(text)) take(row, text, completion);
  }
  note(
    notify,
    `rewrites to learn from: ${accepted} accepted by hand, ` +
      `${chosen.length - accepted} of ${collected.length} collected ones`,
  );
  if (wrong.length > 0)
    note(notify, `accepted rewrites with a wrong answer are not used: ${wrong.join(', ')}`, 'warning');
  return chosen;
}

const isAcceptance = (verdict: RewriteDecision['verdict']) => verdict === 'accepted' || verdict === 'edited';
