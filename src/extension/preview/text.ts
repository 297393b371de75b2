/** What the student sees of one problem in each stage, as a text to read: pure. */
import { teacherChain } from '../../cases/describe';
import { maskText, renderChain } from '../../chain/prompts';
import type { Experiment } from '../../config/experiment';
import { type View, viewsOf } from '../../data/preview';
import type { Problem } from '../../data/types';
import { stageTitles, trainedStages } from '../../stages';
import { plural } from '../words';

export interface PreviewText {
  lines: string[];
  /** The step of the teacher's chain, from 1, that stands on a line. */
  steps: { line: number; step: number; masked: boolean }[];
  /** Every text whose length is said, in the order in which `lengths` gives them. */
  measured: string[];
}

export interface Preview {
  problem: Problem;
  /** Its number from 1, of so many. */
  number: number;
  of: number;
  /** Which drawing of what is random. */
  drawn: number;
  /** Tokens of each measured text, where they were counted. */
  lengths?: readonly number[];
}

export function previewText(experiment: Experiment, { problem, number, of, drawn, lengths }: Preview): PreviewText {
  const lines: string[] = [];
  const steps: PreviewText['steps'] = [];
  const measured: string[] = [];
  const length = (text: string) => {
    const at = measured.push(text) - 1;
    return lengths?.[at] === undefined ? '' : `, ${plural(lengths[at], 'token')}`;
  };
  const section = (heading: string, body: string) => {
    lines.push(`## ${heading}`, ...body.trimEnd().split('\n'), '');
  };
  const chain = teacherChain(problem);
  const teacher = chain ? `teacher's chain of ${plural(chain.steps.length, 'step')}` : "no teacher's chain";
  const again = drawn > 0 ? `, drawn again (${drawn})` : '';
  section(
    `Problem ${number} of ${of}: ${problem.id}, ${teacher}${chain ? length(renderChain(chain)) : ''}${again}`,
    `Question: ${problem.question}\nGold answer: ${problem.answer}`,
  );
  const views = viewsOf({ problem, chain }, experiment, trainedStages, drawn);
  for (const view of views) {
    const first = lines.length + 1;
    section(`${stageTitles[view.stage]}: prompt${length(view.prompt)}`, `(${view.label})\n${view.prompt}`);
    steps.push(...stepLines(view, lines, first));
    if (view.target !== null) section(`${stageTitles[view.stage]}: target${length(view.target)}`, view.target);
    else lines.splice(-1, 0, `(here the student goes on; the reward ${view.reward} decides)`);
  }
  for (const stage of trainedStages) {
    if (experiment.stages[stage] === false) section(`${stageTitles[stage]}: off`, '');
    else if (!views.some((view) => view.stage === stage))
      section(`${stageTitles[stage]}: no part for this problem`, "It has no teacher's chain.");
  }
  return { lines, steps, measured };
}

/** The lines of a prompt that show steps: one "- ..." each, in the order of the exercise. */
function stepLines({ order, masked }: View, lines: readonly string[], from: number): PreviewText['steps'] {
  const found = lines.flatMap((text, line) => (line >= from && text.startsWith('- ') ? [line] : []));
  return order.flatMap((step, i) => {
    const line = found[i];
    if (line === undefined) return [];
    return [{ line, step, masked: masked.includes(step) && lines[line].includes(maskText) }];
  });
}
