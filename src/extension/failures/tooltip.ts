import type { Decisions } from '../../runs/decisions';
import { type Markdown, md, paragraphs } from '../vscode/markdown';
import { caseText, type FailureCase, shareText } from './cases';

/** A summary of the case: question, student's answer, right answer, note. */
export function caseTooltip(one: FailureCase, { notes }: Pick<Decisions, 'notes'>): Markdown {
  const { record, sample } = one;
  const { problemId, question, answer, category, firstWrongStep, samples } = record;
  const said = samples[sample]?.answer;
  const note = notes.get(problemId);
  return paragraphs(
    md`**${problemId}** ${category}`,
    question,
    firstWrongStep && `Step ${firstWrongStep.step + 1}: ${firstWrongStep.text}`,
    md`*${caseText(one)}*`,
    said === undefined || said === null ? md`Right: **${answer}**` : md`Right: **${answer}**, the student: **${said}**`,
    shareText(record),
    note && md`Note: ${note}`,
  );
}
