/** Chooses which of a teacher's generations is learned, by the verdicts in the dataset. */
import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { partThinking, spokenPart } from '../answers/thinking';
import { cellText } from './cells';
import { withThinking } from './conversations';
import { listIn } from './lists';
import { isVerdictColumn, verdicts } from './names';
import type { Row } from './rows';
import { isWorked } from './stated';

/** Converts OpenThoughts' tags to R1's. */
export function plainMarks(chain: string): string {
  if (!chain.includes('<|')) return chain.includes('</answer>') ? withoutAnswerTag(chain) : chain;
  const { thought, body } = partThinking(chain);
  return withThinking(thought || undefined, body.trim())!
    .replace(/<\|(?:begin|end)_of_solution\|>/g, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** Removes an answer tag around a whole solution (AM-DeepSeek-R1-Distilled). */
function withoutAnswerTag(chain: string): string {
  const { start } = spokenPart(chain);
  const body = chain.slice(start).trim();
  if (!body.startsWith('<answer>') || !body.endsWith('</answer>')) return chain;
  const solution = body.slice('<answer>'.length, -'</answer>'.length).trim();
  return isWorked(solution) ? `${chain.slice(0, start)}\n\n${solution}`.trimStart() : chain;
}

/** Whether a text ends within its thinking, without an answer. */
export const isCutOff = (text: string) => spokenPart(text).cutOff;

export interface ChosenChain {
  chain: string;
  /** The dataset marks it as right. */
  verified: boolean;
  /** It ends within its thinking. */
  cutOff?: boolean;
}

/**
 * The shortest of several generations that is complete and right. Verdicts in parallel lists
 * (`correctness_math_verify`, `is_reasoning_complete`, `finish_reasons`, scores of 0 and 1) are trusted; without them,
 * a generation is right if it states the answer.
 */
export function bestGeneration(
  generations: readonly unknown[],
  answer: string | undefined,
  row: Row,
): ChosenChain | undefined {
  const verdicts = verdictsOf(row, generations.length);
  const candidates = generations.flatMap((item, i): ChosenChain[] => {
    const { text, right, complete } = generationOf(item);
    if (text === undefined || isCutOff(text) || !complete || verdicts.incomplete(i)) return [];
    const said = verdicts.right(i) ?? right;
    if (said === false) return [];
    const stated = said === true ? null : extractAnswer(text, 'strict');
    const fits = said === true || (stated !== null && (answer === undefined || sameAnswer(stated.value, answer)));
    return fits ? [{ chain: text, verified: said === true }] : [];
  });
  return candidates.toSorted((a, b) => a.chain.length - b.chain.length)[0];
}

const textFields = ['text', 'content', 'generation', 'response', 'completion', 'solution', 'output', 'generated_text'];

function generationOf(item: unknown): Flags & { text?: string } {
  const text = cellText(item, 'assistant');
  if (text !== undefined) return { text: plainMarks(text), complete: true };
  if (typeof item !== 'object' || item === null) return {};
  const fields = item as Row;
  const key = textFields.find((name) => typeof fields[name] === 'string');
  const { right, complete } = flagsOf(fields);
  return { text: key && plainMarks(fields[key] as string), right, complete: complete !== false };
}

/** Verdicts on a generation; absent if unknown. */
export interface Flags {
  right?: boolean;
  complete?: boolean;
}

/** The verdicts of a row, or of an item, on its only generation. */
export function flagsOf(fields: Row): Flags {
  const named = (pattern: RegExp) =>
    Object.entries(fields).flatMap(([name, value]) =>
      pattern.test(name) && !isFigure.test(name) ? [verdictIn(value) ?? []].flat() : [],
    );
  const wanted = typeof fields.label === 'boolean' ? [fields.label] : []; // TRL's KTO
  const right = [...named(/math_?verify/i), ...named(verdicts.right), ...wanted].at(0);
  const cut = Object.entries(fields).some(([name, value]) => verdicts.finish.test(name) && value === 'length');
  return { right, complete: cut || named(verdicts.complete).includes(false) ? false : undefined };
}

const isFigure = /count|rate|num_/i;

/** A verdict as a boolean, a word, or a score of 0 or 1. */
function verdictIn(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 0 || value === 1) return value === 1;
  if (typeof value !== 'string') return undefined;
  if (/^(?:correct|right|true|yes|pass(?:ed)?)$/i.test(value)) return true;
  return /^(?:incorrect|wrong|false|no|fail(?:ed)?)$/i.test(value) ? false : undefined;
}

function verdictsOf(row: Row, count: number) {
  const lists = Object.entries(row).flatMap(([name, value]): [string, unknown[]][] => {
    const list = isVerdictColumn(name) ? listIn(value) : null;
    return list?.length === count ? [[name, list]] : [];
  });
  const named = (pattern: RegExp) => lists.filter(([name]) => pattern.test(name)).map(([, values]) => values);
  // Math-Verify's verdict takes precedence over a language model's.
  const correct = [...named(/math_?verify/i), ...named(verdicts.right), ...named(verdicts.score)];
  const complete = named(verdicts.complete);
  const finish = named(verdicts.finish);
  return {
    right: (i: number): boolean | undefined => correct.flatMap((list) => verdictIn(list[i]) ?? []).at(0),
    incomplete: (i: number) =>
      complete.some((list) => list[i] === false) || finish.some((list) => list[i] === 'length'),
  };
}

/**
 * A list of steps as one chain: in a column named so, or in TRL's format for stepwise supervision (booleans in `labels`
 * beside `completions`), where all steps must be right. Null for any other list.
 */
export function stepsIn(items: readonly unknown[], column: string, row: Row): ChosenChain | null {
  const { labels } = row;
  const judged =
    Array.isArray(labels) && labels.length === items.length && labels.every((one) => typeof one === 'boolean');
  if (!/steps$/i.test(column) && !(judged && column === 'completions')) return null;
  const texts = items.map((item) => cellText(item, 'assistant') ?? cellText((item as Row | null)?.text, 'assistant'));
  const right = !judged || !labels.includes(false);
  return texts.includes(undefined) || !right ? null : { chain: texts.join('\n'), verified: judged };
}
