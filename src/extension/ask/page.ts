/** Finds the parts of a page of questions and answers, and formats them. Pure. */
import { sameAnswer } from '../../answers/equal';
import { extractAnswer } from '../../answers/extract';
import { mean } from '../../statistics';
import { minus, plural } from '../../words';

export interface Question {
  /** Counted from 0. */
  line: number;
  text: string;
  /** From a line `Reference answer: ...` below the question. */
  gold?: string;
  /** The line after the question and its reference answer, where answers are inserted. */
  end: number;
}

const isQuestion = (line: string) => /^Question:/.test(line);
const isHeading = (line: string) => line.startsWith('## ');

/** Every `Question: ...` of a page. A question ends at an empty line or a heading. */
export function questions(page: string): Question[] {
  const lines = page.split(/\r?\n/);
  return lines.flatMap((first, line): Question[] => {
    if (!isQuestion(first)) return [];
    let end = line + 1;
    while (end < lines.length && lines[end].trim() !== '' && !isHeading(lines[end]) && !isQuestion(lines[end])) end++;
    const own = [first.slice('Question:'.length), ...lines.slice(line + 1, end)];
    const gold = own
      .find((one) => one.startsWith('Reference answer:'))
      ?.slice('Reference answer:'.length)
      .trim();
    const text = own
      .filter((one) => !one.startsWith('Reference answer:'))
      .join('\n')
      .trim();
    return [{ line, text, ...(gold && { gold }), end }];
  });
}

/** The question of a line: the last one that starts at or above it. */
export const questionAt = (page: string, line: number): Question | undefined =>
  questions(page).findLast((question) => question.line <= line);

/** Finds a question of an earlier version of the page in the current one, wherever edits have moved it. */
export function sameQuestion(page: string, { text, line }: Question): Question | undefined {
  const far = (one: Question) => Math.abs(one.line - line);
  return questions(page)
    .filter((one) => one.text === text)
    .sort((a, b) => far(a) - far(b))[0];
}

/** The state of a question that was asked. */
export interface PageQuestion {
  /** Unique in the page, from 1. Identifies the answers wherever edits have moved them. */
  number: number;
  student: string;
  temperature: number;
  gold?: string;
  samples: readonly SampleSoFar[];
  /** Set when every sample is complete. */
  tokensPerSecond?: number;
  /** Why it ended early: cancelled by the person, or an error. */
  stopped?: boolean;
}

export interface SampleSoFar {
  text: string;
  /** Tokens so far. */
  tokens: number;
  done: boolean;
  /** Whether the sample ended by itself. Known once it is complete. */
  finished?: boolean;
  logProbs?: readonly number[];
}

const marker = (number: number) => `## Asked ${number}: `;

/**
 * The next free number on a page. Numbers of questions in progress, whose answers may not be in the page yet, count
 * too.
 */
export function nextNumber(page: string, underWay: Iterable<number> = []): number {
  let last = 0;
  for (const [, number] of page.matchAll(/^## Asked (\d+): /gm)) last = Math.max(last, Number(number));
  for (const number of underWay) last = Math.max(last, number);
  return last + 1;
}

/** The range of these lines if they are still in a page, ignoring trailing spaces. The end is exclusive. */
export function findLines(page: string, written: readonly string[]): { from: number; to: number } | undefined {
  const lines = page.split(/\r?\n/);
  const same = (from: number) => written.every((line, i) => lines[from + i]?.trimEnd() === line.trimEnd());
  const from = written.length > 0 ? lines.findIndex((_, i) => same(i)) : -1;
  return from < 0 ? undefined : { from, to: from + written.length };
}

/** The lines from the heading of the answers with a number to the next question or set of answers. */
export function blockOf(page: string, number: number): { from: number; to: number } | undefined {
  const lines = page.split(/\r?\n/);
  const from = lines.findIndex((line) => line.startsWith(marker(number)));
  if (from < 0) return undefined;
  const next = lines.findIndex((line, i) => i > from && (isQuestion(line) || /^## Asked \d+: /.test(line)));
  return { from, to: next < 0 ? lines.length : next };
}

/** The answers as lines of text. */
export function blockText(asked: PageQuestion): string[] {
  const { number, student, samples, temperature } = asked;
  const how = temperature === 0 ? 'greedy' : `${plural(samples.length, 'sample')} at temperature ${temperature}`;
  const answers = samples.flatMap((sample, i) => [
    ...(i > 0 ? [''] : []),
    sampleHeading(sample, i, asked),
    ...bodyOf(sample).split('\n'),
  ]);
  return [`${marker(number)}${student}, ${how}${state(asked)}`, '', ...answers];
}

function state(asked: PageQuestion): string {
  if (asked.stopped) return ': stopped';
  if (asked.tokensPerSecond !== undefined) return summary(asked);
  return asked.samples.some(({ tokens }) => tokens > 0) ? ', working…' : ', waiting for the student…';
}

/** The answer as written, indented where a line would look like one of the page's own. */
export const bodyOf = ({ text }: { text: string }) => text.replace(/\r\n?/g, '\n').replace(/^(?=## |Question:)/gm, ' ');

const answerOf = ({ text }: SampleSoFar) => extractAnswer(text, 'strict')?.value ?? null;

function verdictOn(answer: string | null, gold: PageQuestion['gold']): string {
  if (answer === null) return 'no answer';
  if (gold === undefined) return answer;
  return `${answer}, ${sameAnswer(answer, gold) ? 'right' : 'wrong'}`;
}

function sampleHeading(sample: SampleSoFar, i: number, { samples, gold, stopped }: PageQuestion): string {
  const name = samples.length > 1 ? `Sample ${i + 1} of ${samples.length}` : 'Answer';
  const length = plural(sample.tokens, 'token');
  if (!sample.done) return `## ${name}: ${length}${stopped ? ', stopped' : ' so far'}`;
  const verdict = verdictOn(answerOf(sample), gold);
  const sure = sample.logProbs?.length ? `, mean log-prob ${minus(mean(sample.logProbs).toFixed(2))}` : '';
  return `## ${name}: ${verdict}, ${length}${sample.finished === false ? ', cut off' : ''}${sure}`;
}

/** How often each answer occurred, and how long the samples were. */
function summary({ samples, gold, tokensPerSecond }: PageQuestion): string {
  const counts = new Map<string, number>();
  for (const sample of samples) {
    const answer = answerOf(sample) ?? 'no answer';
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const each = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([answer, n]) => (samples.length > 1 ? `${n} × ${answer}` : answer));
  const right = samples.filter((sample) => gold !== undefined && sameAnswer(answerOf(sample) ?? '', gold)).length;
  const share = gold === undefined || samples.length === 1 ? '' : `; ${right} of ${samples.length} right`;
  const tokens = mean(samples.map((sample) => sample.tokens)).toFixed(0);
  const length = `${tokens} tokens${samples.length > 1 ? ' on average' : ''}`;
  return `: ${each.join(', ')}${share}; ${length}, ${tokensPerSecond!.toFixed(0)} tokens/s`;
}
