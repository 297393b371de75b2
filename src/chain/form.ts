/** Checks the outer form of reasoning: nonempty steps, none repeated, before one answer. */
import { sameAnswer } from '../answers/equal';
import { type Answer, extractAnswer } from '../answers/extract';
import { splitSentences } from './sentences';

const label = /(?<![\p{L}\p{N}])(?:[#>*-]{1,6}[ \t]{0,4})?Step[ \t]?(\d{1,4})[ \t]?[:.)]\*{0,2}/giu;
/** An answer mark with the rest of its line. */
const answerLine =
  /(?:(?:so|thus|hence|therefore|and)[, ]+)?(?:the\s+)?(?:final\s+)?answer\b[^\n]*|####[^\n]*|\\boxed\b[^\n]*|<\/?answer>[^\n]*/gi;

/** A step as written, with its number if it has a label. */
export interface WrittenStep {
  name: string;
  text: string;
}

/** The steps of a solution, including empty ones: the text after labels, or sentences if there are none. */
export function writtenSteps(solution: string): WrittenStep[] {
  const labels = [...solution.matchAll(label)];
  if (labels.length > 0)
    return labels.map((match, i) => ({
      name: `step ${i + 1}`,
      text: solution.slice(match.index + match[0].length, labels[i + 1]?.index),
    }));
  return splitSentences(solution).map(({ start, end }, i) => ({
    name: `sentence ${i + 1}`,
    text: solution.slice(start, end),
  }));
}

export const withoutLabels = (text: string): string => text.replace(label, '\n');

/** A text without its answer marks and the text after them. */
export const withoutAnswer = (text: string): string => text.replace(answerLine, '');

/** Letters and digits only. */
const core = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}+*/=<>^-]/gu, '');

const contentOfStep = (text: string) => core(withoutAnswer(text));

/** The formal error of the steps, in a few words. `spoken` ends where its last answer does. */
export function formFault(thought: string, spoken: string): string | null {
  const steps = writtenSteps(spoken);
  const labelled = steps[0]?.name.startsWith('step');
  const empty = labelled ? steps.find(({ text }) => !/[\p{L}\p{N}]/u.test(text)) : undefined;
  if (contentOfStep(thought).length < 2 && steps.every(({ text }) => contentOfStep(text).length < 2))
    return 'there are no steps, only an answer';
  if (empty) return `${empty.name} is empty`;
  const emptyStep = labelled
    ? steps.find(({ text }, i) => i < steps.length - 1 && contentOfStep(text).length < 2)
    : undefined;
  return emptyStep ? `${emptyStep.name} says nothing` : repetition(steps);
}

/** Whether an answer comes before the steps that lead to it. */
export function answerComesFirst(text: string, last: Answer): boolean {
  const first = markedAnswers(text).next().value ?? last;
  const before = withoutLabels(text.slice(0, first.start));
  const after = text.slice(first.end);
  return contentOfStep(before).length < 2 && (after.search(label) >= 0 || (after.includes('=') && /\d/.test(after)));
}

/** A step may occur once, a sentence of a text without steps twice. */
function repetition(steps: readonly WrittenStep[]): string | null {
  const known = new Map<string, string>();
  const again = new Set<string>();
  for (const { name, text } of steps) {
    const said = contentOfStep(text);
    if (said.length < 4) continue;
    const earlier = known.get(said);
    if (earlier && (name.startsWith('step') || again.has(said))) return `${name} repeats ${earlier}`;
    if (earlier) again.add(said);
    else known.set(said, name);
  }
  const words = steps.flatMap(({ text }) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
  const trigrams = new Set(words.map((_, i) => words.slice(i, i + 3).join(' ')));
  return words.length >= 24 && trigrams.size < words.length / 2 ? 'the text repeats itself' : null;
}

/** All marked answers of a solution, in order, one by one: often the first is enough. */
export function* markedAnswers(text: string): Generator<Answer, undefined> {
  let at = 0;
  // A student that loops writes the same line again and again.
  const known = new Map<string, Answer | null>();
  for (const line of text.split(/(?<=\n)|(?=\\boxed)/)) {
    if (!known.has(line)) known.set(line, /answer|boxed|####/i.test(line) ? extractAnswer(line, 'strict') : null);
    const answer = known.get(line);
    if (answer) yield { ...answer, start: at + answer.start, end: at + answer.end };
    at += line.length;
  }
}

/** Another answer than the last one, among the marked ones or directly after it: "42 or 43". */
export function otherAnswer(text: string, last: Answer): string | null {
  for (const { value } of markedAnswers(text)) if (!sameAnswer(value, last.value)) return value;
  const rest = text.slice(last.end, last.end + 80).split('\n', 1)[0];
  return /^[^.\n]{0,20}?\b(?:or|maybe|perhaps|possibly)\b[^\d\n]{0,20}(\d[\d.,/]*)/i.exec(rest)?.[1] ?? null;
}
