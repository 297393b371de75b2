/** Reasons why an accuracy may underestimate a student. */
import type { PromptStyle } from '../config/student';
import { plural } from '../words';
import type { EvaluatedAnswer } from './figures';

interface EvaluationSetup {
  maxNewTokens: number;
  /** The name of the setting in the user's interface. */
  setting: string;
  prompt?: PromptStyle;
  /** Whether the student has a chat template; undefined if unknown, as for a server. */
  chatTemplate?: boolean;
  /** Tokens that the student's positions leave for an answer; undefined if unknown. */
  room?: number;
}

/** Minimum share of the answers for a cause to be reported. */
const leastShare = 0.1;

/** Caveats of an evaluation, each with a remedy; empty if there are none. */
export function caveats(
  answers: readonly Pick<EvaluatedAnswer, 'text' | 'answer' | 'correct' | 'lenientCorrect' | 'finished'>[],
  { maxNewTokens, setting, prompt, chatTemplate, room }: EvaluationSetup,
): string[] {
  const n = answers.length;
  const unanswered = answers.filter(({ answer }) => answer === null);
  const cut = unanswered.filter(({ finished }) => !finished);
  const empty = unanswered.filter(({ text, finished }) => finished && text.trim() === '');
  const unmarked = unanswered.filter(({ text, finished }) => finished && text.trim() !== '');
  const enough = (some: readonly unknown[]) => some.length > 0 && some.length >= leastShare * n;
  const of = (some: readonly unknown[]) => `${some.length} of ${n} answers`;
  const notes: string[] = [];
  if (enough(cut))
    notes.push(
      `${of(cut)} were cut off at ${maxNewTokens} tokens before they stated a result, ` +
        `and count as wrong. ${
          room !== undefined && maxNewTokens > 0.8 * room
            ? "The student's positions leave hardly more: longer answers need a student with more of them."
            : `Raise ${setting} to see what the student can do.`
        }`,
    );
  if (enough(unmarked)) {
    const lenient = unmarked.filter(({ lenientCorrect }) => lenientCorrect).length;
    const right = lenient > 0 ? ` (the last number of ${lenient} of them is right)` : '';
    notes.push(
      `${of(unmarked)} end without marking a result${right}, and count as wrong: the ` +
        'student has not learned to write "Answer: ...", a box or a similar mark.',
    );
  }
  if (enough(empty))
    notes.push(`${of(empty)} are empty: the student ends its text at once. Check its prompt with \`preview\`.`);
  const right = answers.filter(({ correct }) => correct).length;
  if (prompt === 'plain' && chatTemplate === false && (right === 0 || notes.length > 0))
    notes.push(
      'The student has no chat template and continues a plain text, as base models do. ' +
        'One that was trained to chat needs chat_template.jinja in its folder.',
    );
  if (prompt === 'plain' && chatTemplate && (right === 0 || notes.length > 0))
    notes.push(
      'The student has a chat template but is asked without it, as base ' +
        'models are. If it was trained to chat, set "prompt": "chat".',
    );
  if (n > 0 && right === 0 && notes.length === 0)
    notes.push(
      `None of ${n} answers is right, though ${n - unanswered.length} state a result: the problems are too ` +
        'hard for this student, or the reference answers are not what the questions ask for.',
    );
  return notes;
}

/** How a server deviated from what was asked of it: answers that did not arrive, and settings that it does not have. */
export function deviations(
  { count, first }: { count: number; first?: string } = { count: 0 },
  without: readonly string[] = [],
): string[] {
  const lost = `Counted as wrong: ${plural(count, 'answer')} that did not arrive (${first}).`;
  const own = `The server does not accept ${without.join(', ')} and uses its own defaults.`;
  return [...(count > 0 ? [lost] : []), ...(without.length > 0 ? [own] : [])];
}
