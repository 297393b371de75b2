import { plain } from '../markdown';
import { caseText, type FailureCase, shareText } from './cases';

/** The case in short, as Markdown: question, what the student said, what is right. */
export function caseTooltip(one: FailureCase): string {
  const { record, sample } = one;
  const { problemId, question, answer, category, firstWrongStep, samples } = record;
  const said = samples[sample]?.answer;
  return [
    `**${plain(problemId)}** ${plain(category)}`,
    plain(question),
    firstWrongStep ? `Step ${firstWrongStep.step + 1}: ${plain(firstWrongStep.text)}` : '',
    `*${plain(caseText(one))}*`,
    `Right: **${plain(answer)}**${said === undefined || said === null ? '' : `, the student: **${plain(said)}**`}`,
    shareText(record),
  ]
    .filter(Boolean)
    .join('\n\n');
}
