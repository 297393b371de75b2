import { type Markdown, md, paragraphs } from '../markdown';
import { caseText, type FailureCase, shareText } from './cases';

/** The case in short: question, what the student said, what is right. */
export function caseTooltip(one: FailureCase): Markdown {
  const { record, sample } = one;
  const { problemId, question, answer, category, firstWrongStep, samples } = record;
  const said = samples[sample]?.answer;
  return paragraphs(
    md`**${problemId}** ${category}`,
    question,
    firstWrongStep && `Step ${firstWrongStep.step + 1}: ${firstWrongStep.text}`,
    md`*${caseText(one)}*`,
    said === undefined || said === null ? md`Right: **${answer}**` : md`Right: **${answer}**, the student: **${said}**`,
    shareText(record),
  );
}
