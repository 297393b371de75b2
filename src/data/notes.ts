import { isComparable, sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { splitChain } from '../chain/split';
import { badRowsText } from './bad-rows';
import type { Dataset } from './dataset';
import { otherAnswersNote } from './other-answers';
import { type Problems, sample } from './problems';
import { type TaughtRules, withoutThinking } from './taught';
import type { Problem } from './types';

/** The examined rows: enough to find problems quickly. */
const looked = { rows: 2000, characters: 1_500_000, least: 200 };

/** Notes for the user about problems, before training starts. The rules say how their chains will be taught. */
export function notesOn(problems: Problems, rules: Partial<TaughtRules> = {}): string[] {
  const rows = sample(problems, looked);
  const notes = [
    unreadableAnswers(rows),
    singleSteps(rules.thinking === 'cut' ? rows.map(withoutThinking) : rows),
    otherAnswersNote(rows, rules.otherAnswers),
    cutChains(rows),
    boxes(rows),
    controlTokens(rows),
    ownSystem(rows),
  ];
  const some = problems.length > rows.length ? `Of ${rows.length} examined rows: ` : '';
  return notes.flatMap((note) => (note === undefined ? [] : [some + note]));
}

/** The same, including skipped rows. */
export function datasetNotes(
  { problems, bad }: Pick<Dataset, 'problems' | 'bad'>,
  rules?: Partial<TaughtRules>,
): string[] {
  const left = bad ? [`${bad.count} of ${bad.rows} rows cannot be used and are skipped: ${badRowsText(bad)}.`] : [];
  return [...left, ...notesOn(problems, rules)];
}

/** Chains that were dropped when the rows were read. */
function cutChains(problems: readonly Problem[]): string | undefined {
  const cut = problems.filter(({ meta }) => meta?.cutOff === true);
  if (cut.length === 0) return undefined;
  return (
    `${cut.length} of ${problems.length} teacher chains end within ` + `their thinking (${cut[0].id}), and are dropped.`
  );
}

/** Questions that ask for another form of the answer than the targets have. */
function boxes(problems: readonly Problem[]): string | undefined {
  const asking = problems.filter(({ question }) => /\\boxed|\bin a box\b/i.test(question));
  if (2 * asking.length <= problems.length) return undefined;
  return (
    `${asking.length} of ${problems.length} questions ask for a box (\\boxed{}), but the ` +
    'targets end in "Answer: ...". Remove that sentence from the questions.'
  );
}

/** Control tokens of common chat templates, and our mask. A tokenizer recognizes them in any text. */
const controlToken =
  /<\|[a-z][\w ]{0,40}\|>|<｜[^｜<>]{1,40}｜>|<\/?s>|\[\/?(?:INST|MASK|SYSTEM_PROMPT)\]|<(?:start|end)_of_turn>/;

/** Questions with control tokens of a chat template: the student would see a turn end inside of the question. */
function controlTokens(problems: readonly Problem[]): string | undefined {
  const leaked = problems.flatMap(({ id, question }) => {
    const token = controlToken.exec(question)?.[0];
    return token === undefined ? [] : [`${id}: ${token}`];
  });
  if (leaked.length === 0) return undefined;
  return (
    `${leaked.length} of ${problems.length} questions contain a control token (${leaked[0]}), which the ` +
    'tokenizer turns into the actual token, such as the end of a turn. Remove it.'
  );
}

/** System messages of conversations, because prompts use the experiment's. */
function ownSystem(problems: readonly Problem[]): string | undefined {
  const systems = problems.flatMap(({ system }) => system ?? []);
  if (systems.length === 0) return undefined;
  const example = systems[0].length > 60 ? `${systems[0].slice(0, 60)}…` : systems[0];
  return (
    `${systems.length} rows have a system message (${JSON.stringify(example)}), which is not part of ` +
    'their prompts. Set student.system to use one.'
  );
}

/** Whether writing the reference answer after "Answer:" counts as right. */
function isReadable({ answer }: Problem): boolean {
  const found = extractAnswer(`Answer: ${answer}`, 'strict');
  return found !== null && isComparable(answer) && sameAnswer(found.value, answer);
}

/** Reference answers that cannot be matched, such as whole sentences. */
function unreadableAnswers(problems: readonly Problem[]): string | undefined {
  const unreadable = problems.filter((problem) => !isReadable(problem));
  if (unreadable.length === 0) return undefined;
  const [{ id, answer }] = unreadable;
  const example = answer.length > 60 ? `${answer.slice(0, 60)}…` : answer;
  return (
    `${unreadable.length} of ${problems.length} reference answers are not a number, ` +
    `formula or a few words, so no answer counts as right (${id}: ` +
    `${JSON.stringify(example)}). Shorten them, or remove these rows.`
  );
}

/** Chains are examined up to this length. */
const most = 1000;

/** Chains with a single step, if most are: usually free text without step marks. */
function singleSteps(problems: readonly Problem[]): string | undefined {
  const chains = problems.flatMap(({ chain }) => chain ?? []).slice(0, most);
  const single = chains.filter((chain) => splitChain(chain).steps.length < 2).length;
  if (2 * single <= chains.length) return undefined;
  return (
    `${single} of ${chains.length} teacher chains have no more than one ` +
    'step: there is nothing to shuffle in Stage 1 and to mask in Stage 2. ' +
    'Steps are found best on lines that begin with "Step 1:".'
  );
}
