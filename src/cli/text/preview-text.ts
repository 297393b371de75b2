import { maskText } from '../../chain/prompts';
import type { PromptView } from '../../data/preview';
import { stageTitles } from '../../stages';
import { plural } from '../terminal/format';
import { inOneLine, pc } from '../terminal/terminal';

/** A view with token counts; the target's includes the end token. */
export interface CountedView extends Omit<PromptView, 'taught'> {
  /** The student's input: the prompt in its chat template, with the system message and special tokens. */
  wholePrompt: string;
  /** The target without the end token. */
  wholeTarget: string | null;
  promptTokens: number;
  targetTokens: number | null;
}

export interface PreviewedProblem {
  id: string;
  question: string;
  answer: string;
  /** Steps of the teacher's chain; 0 without one. */
  steps: number;
  /** Length of the teacher's chain in the student's tokens, without the end token. */
  teacherTokens: number | null;
  views: CountedView[];
}

/** A problem with its views, for a terminal. */
export function previewText({ id, question, answer, steps, teacherTokens, views }: PreviewedProblem): string {
  const teacher =
    teacherTokens === null
      ? 'no teacher chain'
      : `teacher chain of ${plural(steps, 'step')}, ${plural(teacherTokens, 'token')}`;
  const facts = pc.dim(`answer ${inOneLine(answer)}, ${teacher}`);
  const head = `${pc.bold(pc.underline(inOneLine(id)))}  ${facts}\n${question}`;
  return [head, ...views.map(viewText)].join('\n\n');
}

function viewText(view: CountedView): string {
  const { stage, label, prompt, wholePrompt, promptTokens, order, wholeTarget, targetTokens, reward } = view;
  const learned =
    wholeTarget === null
      ? [part(`completion: sampled by the student, scored by the reward ${reward}`)]
      : [part(`target, ${plural(targetTokens!, 'token')} with the end token`), gutter(wholeTarget)];
  return [
    `${pc.bold(stageTitles[stage])}  ${pc.dim(label)}`,
    part(`prompt, ${plural(promptTokens, 'token')}`),
    gutter(wholePrompt, { order, from: wholePrompt.indexOf(prompt.trimEnd()) }),
    ...learned,
  ].join('\n');
}

const part = (name: string) => pc.dim(`  ${name}`);

/**
 * A text after a bar. Lines of a list of steps are preceded by their number in the teacher's chain; the prompt's list
 * begins at `from`.
 */
function gutter(
  text: string,
  { order, from }: { order: readonly number[]; from: number } = { order: [], from: 0 },
): string {
  let step = 0;
  let at = 0;
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const number = at >= from && line.startsWith('- ') && step < order.length ? String(order[step++]) : '';
      at += line.length + 1;
      return `${pc.dim(`${number.padStart(2)}│`)} ${coloured(line)}`;
    })
    .join('\n');
}

function coloured(line: string): string {
  return line.replaceAll(maskText, pc.magenta(pc.inverse(maskText)));
}
