import { isComparable, sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { splitChain } from '../chain/split';
import { badRowsText } from './bad-rows';
import type { Dataset } from './dataset';
import { type OtherAnswers, otherAnswersNote } from './other-answers';
import { type Problems, spread } from './problems';
import type { Problem } from './types';

/** So many rows are looked at, spread over all: enough to see what is wrong, soon. */
const looked = 2000;

/** What the user should know of problems before anything is trained on them. */
export function notesOn(problems: Problems, rule?: OtherAnswers): string[] {
  const rows = spread(problems, looked);
  const notes = [
    unreadableAnswers(rows),
    singleSteps(rows),
    otherAnswersNote(rows, rule),
    cutChains(rows),
    boxes(rows),
    controlTokens(rows),
    ownSystem(rows),
  ];
  const some = problems.length > rows.length ? `Of ${rows.length} rows that were looked at: ` : '';
  return notes.flatMap((note) => (note === undefined ? [] : [some + note]));
}

/** The same with the rows that were left out. */
export function datasetNotes({ problems, bad }: Pick<Dataset, 'problems' | 'bad'>, rule?: OtherAnswers): string[] {
  const left = bad ? [`${bad.count} of ${bad.rows} rows cannot be used and are left out: ${badRowsText(bad)}.`] : [];
  return [...left, ...notesOn(problems, rule)];
}

/** Chains that were left out when the rows were read. */
function cutChains(problems: readonly Problem[]): string | undefined {
  const cut = problems.filter(({ meta }) => meta?.cutOff === true);
  if (cut.length === 0) return undefined;
  return (
    `${cut.length} of ${problems.length} teacher chains end within ` +
    `their thinking (${cut[0].id}), and are left out.`
  );
}

/** Questions that ask for a form of the answer that no target has. */
function boxes(problems: readonly Problem[]): string | undefined {
  const asking = problems.filter(({ question }) => /\\boxed|\bin a box\b/i.test(question));
  if (2 * asking.length <= problems.length) return undefined;
  return (
    `${asking.length} of ${problems.length} questions ask for a box (\\boxed{}), but what is ` +
    'learned and asked for ends in "Answer: ...". Take that sentence out of the questions.'
  );
}

/** Control tokens as the templates of usual models write them, and our mask. A tokenizer finds them in any text. */
const controlToken =
  /<\|[a-z][\w ]{0,40}\|>|<｜[^｜<>]{1,40}｜>|<\/?s>|\[\/?(?:INST|MASK|SYSTEM_PROMPT)\]|<(?:start|end)_of_turn>/;

/** Questions that a chat template's tokens have leaked into: the student would see a turn end in the middle of one. */
function controlTokens(problems: readonly Problem[]): string | undefined {
  const leaked = problems.flatMap(({ id, question }) => {
    const token = controlToken.exec(question)?.[0];
    return token === undefined ? [] : [`${id}: ${token}`];
  });
  if (leaked.length === 0) return undefined;
  return (
    `${leaked.length} of ${problems.length} questions hold a control token (${leaked[0]}), which a ` +
    'student takes for what it stands for, such as the end of a turn. Take it out of them.'
  );
}

/** System messages of conversations: prompts have the experiment's. */
function ownSystem(problems: readonly Problem[]): string | undefined {
  const systems = problems.flatMap(({ system }) => system ?? []);
  if (systems.length === 0) return undefined;
  const example = systems[0].length > 60 ? `${systems[0].slice(0, 60)}…` : systems[0];
  return (
    `${systems.length} rows have a system message (${JSON.stringify(example)}): it is no part of ` +
    'their prompts. Say it in student.system if the student is to be asked with it.'
  );
}

/** Whether somebody who writes the reference answer behind "Answer:" is right. */
function isReadable({ answer }: Problem): boolean {
  const found = extractAnswer(`Answer: ${answer}`, 'strict');
  return found !== null && isComparable(answer) && sameAnswer(found.value, answer);
}

/** Reference answers that no answer line can give, such as whole sentences. */
function unreadableAnswers(problems: readonly Problem[]): string | undefined {
  const unreadable = problems.filter((problem) => !isReadable(problem));
  if (unreadable.length === 0) return undefined;
  const [{ id, answer }] = unreadable;
  const example = answer.length > 60 ? `${answer.slice(0, 60)}…` : answer;
  return (
    `${unreadable.length} of ${problems.length} reference answers are no number, ` +
    `formula or few words, so that no answer counts as right (${id}: ` +
    `${JSON.stringify(example)}). Shorten them, or leave these rows out.`
  );
}

/** Chains are looked at as far as this. */
const most = 1000;

/** Chains of one step, when most are: free text mostly, whose steps nobody has marked. */
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
