/** The student's input for one problem in each stage, as readable text. Pure. */

import { openThinking } from '../../answers/thinking';
import { teacherChain } from '../../cases/describe';
import { maskText, renderChain, renderCompletion } from '../../chain/prompts';
import type { Experiment } from '../../config/experiment';
import { budgetsOf, histogram } from '../../data/lengths';
import { type PromptView, viewsOf } from '../../data/preview';
import type { Problem } from '../../data/types';
import { stageTitles, trainedStages } from '../../stages';
import { percent, plural } from '../shared/words';

export interface PreviewPart {
  text: string;
  /** Whether the student is prompted with it. */
  asked: boolean;
}

/** A text as the student gets it: a prompt in its chat template with the system message, a target unchanged. */
export interface StudentText {
  tokens: number;
  whole: string;
}

export interface PreviewText {
  lines: string[];
  /** The step number (from 1) of the teacher's chain on each line. */
  steps: { line: number; step: number; masked: boolean }[];
  /** Every text whose length is shown, in the order in which `counted` returns them. */
  measured: PreviewPart[];
}

export interface Preview {
  problem: Problem;
  /** Position of the problem, from 1, and number of problems. */
  number: number;
  of: number;
  /** Number of the random draw. */
  drawn: number;
  /** Each measured text, if counted. */
  counted?: readonly StudentText[];
  /** Lengths of some teacher chains in the student's tokens. */
  lengths?: readonly number[];
}

export function previewText(
  experiment: Experiment,
  { problem, number, of, drawn, counted, lengths }: Preview,
): PreviewText {
  const lines: string[] = [];
  const steps: PreviewText['steps'] = [];
  const measured: PreviewPart[] = [];
  /** The length of a text, and the text that the student gets. Uncounted texts are shown unchanged. */
  const measure = (text: string, asked = false) => {
    const at = measured.push({ text, asked }) - 1;
    const found = counted?.[at];
    return { length: found ? `, ${plural(found.tokens, 'token')}` : '', whole: found?.whole ?? text };
  };
  const section = (heading: string, body: string) => {
    lines.push(`## ${heading}`, ...body.trimEnd().split('\n'), '');
  };
  const chain = teacherChain(problem);
  const teacher = chain ? `teacher's chain of ${plural(chain.steps.length, 'step')}` : "no teacher's chain";
  const again = drawn > 0 ? `, drawn again (${drawn})` : '';
  section(
    `Problem ${number} of ${of}: ${problem.id}, ${teacher}${chain ? measure(renderChain(chain)).length : ''}${again}`,
    `Question: ${problem.question}\nReference answer: ${problem.answer}`,
  );
  const views = viewsOf({ problem, chain }, experiment, trainedStages, drawn);
  for (const view of views) {
    const first = lines.length + 1;
    const { length, whole } = measure(view.prompt, true);
    section(`${stageTitles[view.stage]}: prompt${length}`, `(${view.label})\n${whole}`);
    const before = whole.slice(0, Math.max(0, whole.indexOf(view.prompt.trimEnd()))).split('\n').length - 1;
    steps.push(...stepLines(view, lines, first + 1 + before));
    if (view.taught) {
      const target = renderCompletion(view.taught, openThinking(whole));
      section(`${stageTitles[view.stage]}: target${measure(target).length}`, target);
    } else lines.splice(-1, 0, `(here the student continues; the reward ${view.reward} scores it)`);
  }
  for (const stage of trainedStages) {
    if (experiment.stages[stage] === false) section(`${stageTitles[stage]}: off`, '');
    else if (!views.some((view) => view.stage === stage))
      section(`${stageTitles[stage]}: does not use this problem`, "It has no teacher's chain.");
  }
  if (lengths && lengths.length > 0)
    section(`Lengths of ${plural(lengths.length, 'teacher chain')}, in tokens`, histogramText(lengths));
  return { lines, steps, measured };
}

/** Histogram lines, and the number of chains that fit each budget. */
function histogramText(lengths: readonly number[]): string {
  const bars = histogram(lengths);
  const most = Math.max(...bars.map(({ rows }) => rows));
  const names = bars.map(({ from, to }) => `${from} – ${to - 1}`);
  const width = Math.max(...names.map((name) => name.length));
  const lines = bars.map(({ rows }, i) =>
    `${names[i].padStart(width)}  ${'█'.repeat(Math.ceil((30 * rows) / most))} ${rows}`.trimEnd(),
  );
  const budgets = budgetsOf(lengths).map(({ tokens, rows }) => `${percent(rows / lengths.length, 0)} fit in ${tokens}`);
  return [...lines, `Budgets: ${budgets.join(', ')}`].join('\n');
}

/** The lines of a prompt that show steps: one "- ..." each, in prompt order. */
function stepLines({ order, masked }: PromptView, lines: readonly string[], from: number): PreviewText['steps'] {
  const found = lines.flatMap((text, line) => (line >= from && text.startsWith('- ') ? [line] : []));
  return order.flatMap((step, i) => {
    const line = found[i];
    if (line === undefined) return [];
    return [{ line, step, masked: masked.includes(step) && lines[line].includes(maskText) }];
  });
}
