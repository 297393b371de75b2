/** Why an accuracy may say less of a student than it seems to. */
import type { PromptStyle } from '../config/student';
import type { EvaluatedAnswer } from './figures';

interface Asked {
  maxNewTokens: number;
  /** How the user sets it. */
  setting: string;
  prompt?: PromptStyle;
  /** Whether the student has a chat template; undefined where that is not known, as on a server. */
  chatTemplate?: boolean;
}

/** From this share of the answers on, a cause is told. */
const leastShare = 0.1;

/** What the user should know of an evaluation, each with what to do; empty where the accuracy is what it seems. */
export function caveats(
  answers: readonly Pick<EvaluatedAnswer, 'text' | 'answer' | 'correct' | 'lenientCorrect' | 'finished'>[],
  { maxNewTokens, setting, prompt, chatTemplate }: Asked,
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
        `and count as wrong. Raise ${setting} to see what the student can do.`,
    );
  if (enough(unmarked)) {
    const lenient = unmarked.filter(({ lenientCorrect }) => lenientCorrect).length;
    const right = lenient > 0 ? ` (the last number of ${lenient} of them is right)` : '';
    notes.push(
      `${of(unmarked)} end without marking a result${right}, and count as wrong: the ` +
        'student has not learned to write "Answer: ...", a box or the like.',
    );
  }
  if (enough(empty))
    notes.push(`${of(empty)} are empty: the student ends its text at once. Look at its prompt with \`preview\`.`);
  const right = answers.filter(({ correct }) => correct).length;
  if (prompt === 'plain' && chatTemplate === false && (right === 0 || notes.length > 0))
    notes.push(
      'The student has no chat template and goes on with a plain text. If it was ' +
        'trained to chat, put chat_template.jinja into its folder.',
    );
  if (prompt === 'plain' && chatTemplate && (right === 0 || notes.length > 0))
    notes.push(
      'The student has a chat template and is asked without it, as base ' +
        'models are. If it was trained to chat, set "prompt": "chat".',
    );
  if (n > 0 && right === 0 && notes.length === 0)
    notes.push(
      `None of ${n} answers is right, though ${n - unanswered.length} state a result: the problems are too ` +
        'hard for this student, or the reference answers are not what the questions ask for.',
    );
  return notes;
}
