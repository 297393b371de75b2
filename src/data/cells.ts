/** What the cells of a dataset say: texts, conversations, lists of generations with their verdicts. */
import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { partThinking, spokenPart } from '../answers/thinking';
import type { Row } from './rows';

export type Turn = 'system' | 'user' | 'assistant';

/** A cell by its column; `a.b` is field b of column a. */
export function cellOf(row: Row, column: string): unknown {
  if (Object.hasOwn(row, column)) return row[column];
  let value: unknown = row;
  for (const key of column.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Row)[key];
  }
  return value;
}

/**
 * A text; a number or a truth value as it is written; the only item of a list; of a conversation, what `turn` said
 * first.
 */
export function textOf(value: unknown, turn: Turn): string | undefined {
  if (typeof value === 'string') {
    const conversation = conversationOf(value);
    return conversation ? conversation[turn] : value.trim() || undefined;
  }
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  const conversation = conversationOf(value);
  if (conversation) return conversation[turn];
  if (Array.isArray(value)) return value.length === 1 ? textOf(value[0], turn) : partsOf(value);
  return undefined;
}

/** The first exchange of a conversation, thinking and all. */
export type Conversation = Partial<Record<Turn, string>>;

const speakers: Record<string, Turn> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  prompter: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
  bot: 'assistant',
  chatgpt: 'assistant',
};

/** A list of {role, content} or {from, value}, as it is or as JSON in a text; null for anything else. */
export function conversationOf(value: unknown): Conversation | null {
  const messages = typeof value === 'string' && /^\s*\[\s*\{/.test(value) ? jsonOf(value) : value;
  if (!Array.isArray(messages) || messages.length === 0) return null;
  const said: Conversation = {};
  for (const message of messages) {
    if (typeof message !== 'object' || message === null) return null;
    const { role, from, content, value: words, text } = message as Record<string, unknown>;
    const turn = speakers[String(role ?? from).toLowerCase()];
    if (!turn) {
      if (typeof (role ?? from) !== 'string') return null;
      continue; // a tool
    }
    if (turn === 'assistant' && said.user === undefined && messages.length > 1) continue; // a greeting
    said[turn] ??= withThinking(thinkingOf(message as Row), partsOf(content ?? words ?? text));
  }
  return said;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const thinkingOf = ({ reasoning_content: content, reasoning, thinking }: Row) =>
  partsOf(content ?? reasoning ?? thinking);

/** A text, or the texts of a list of parts. */
function partsOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() || undefined;
  if (!Array.isArray(value)) return undefined;
  const texts = value.map((part) => (typeof part === 'string' ? part : (part as { text?: unknown } | null)?.text));
  if (texts.length === 0 || texts.some((text) => typeof text !== 'string')) return undefined;
  return texts.join('\n').trim() || undefined;
}

/** Thinking in front of a text, as R1 writes it. */
export function withThinking(thinking: string | undefined, text: string | undefined): string | undefined {
  if (thinking === undefined || text === undefined || spokenPart(text).start > 0) return text ?? thinking;
  return `<think>\n${thinking}\n</think>\n\n${text}`;
}

/** OpenThoughts' marks as R1 writes them. */
export function plainMarks(chain: string): string {
  if (!chain.includes('<|')) return chain;
  const { thought, body } = partThinking(chain);
  return withThinking(thought || undefined, body.trim())!
    .replace(/<\|(?:begin|end)_of_solution\|>/g, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** Whether a text ends within its thinking: its answer never came. */
export const isCutOff = (text: string) => spokenPart(text).cutOff;

export interface Chosen {
  chain: string;
  /** The dataset says that it is right. */
  verified: boolean;
  /** It ends within its thinking. */
  cutOff?: boolean;
}

/**
 * Of several generations, the shortest that is complete and right. Lists beside them that say so
 * (`correctness_math_verify`, `is_reasoning_complete`, `finish_reasons`) are believed; without, those count that state
 * the answer.
 */
export function bestGeneration(
  generations: readonly unknown[],
  answer: string | undefined,
  row: Row,
): Chosen | undefined {
  const verdicts = verdictsOf(row, generations.length);
  const candidates = generations.flatMap((item, i): Chosen[] => {
    const { text, right } = generationOf(item);
    if (text === undefined || isCutOff(text) || verdicts.incomplete(i)) return [];
    const said = verdicts.right(i) ?? right;
    if (said === false) return [];
    const stated = said === true ? null : extractAnswer(text, 'strict');
    const fits = said === true || (stated !== null && (answer === undefined || sameAnswer(stated.value, answer)));
    return fits ? [{ chain: text, verified: said === true }] : [];
  });
  return candidates.toSorted((a, b) => a.chain.length - b.chain.length)[0];
}

function generationOf(item: unknown): { text?: string; right?: boolean } {
  const text = textOf(item, 'assistant');
  if (text !== undefined) return { text: plainMarks(text) };
  if (typeof item !== 'object' || item === null) return {};
  const fields = item as Row;
  const key = ['text', 'content', 'generation', 'response', 'completion', 'solution', 'output'].find(
    (name) => typeof fields[name] === 'string',
  );
  const verdict = Object.entries(fields).find(([name, value]) => isVerdict.test(name) && typeof value === 'boolean');
  return { text: key && plainMarks(fields[key] as string), right: verdict?.[1] as boolean | undefined };
}

const isVerdict = /correct|verif|is_right/i;
const isCompleteness = /complete|finished/i;
const isFinish = /finish_reason/i;

function verdictsOf(row: Row, count: number) {
  const lists = Object.entries(row).flatMap(([name, value]): [string, unknown[]][] =>
    Array.isArray(value) && value.length === count ? [[name, value]] : [],
  );
  const named = (pattern: RegExp) => lists.filter(([name]) => pattern.test(name)).map(([, values]) => values);
  // Math-Verify's verdict before a language model's.
  const correct = [...named(/math_?verify/i), ...named(isVerdict)].filter((list) => list.some(isBoolean));
  const complete = named(isCompleteness);
  const finish = named(isFinish);
  return {
    right: (i: number): boolean | undefined => correct.map((list) => list[i]).find(isBoolean),
    incomplete: (i: number) =>
      complete.some((list) => list[i] === false) || finish.some((list) => list[i] === 'length'),
  };
}

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
