import type { Span } from './span';

/** The visible solution of a student, and its thinking. */
export interface Spoken extends Span {
  /** The text was cut off in its thinking: there is no solution. */
  cutOff: boolean;
}

/** Thinking tags of different model families. */
const tags: readonly (readonly [open: string, close: string])[] = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['<thought>', '</thought>'],
  ['<reasoning>', '</reasoning>'],
  ['<scratchpad>', '</scratchpad>'],
  ['<seed:think>', '</seed:think>'],
  ['[THINK]', '[/THINK]'],
  ['◁think▷', '◁/think▷'],
  ['<|begin_of_thought|>', '<|end_of_thought|>'],
  ['<|channel|>analysis<|message|>', '<|channel|>final<|message|>'],
];

const anyTag = new RegExp(
  tags
    .flat()
    .map((tag) => tag.replace(/[[\]|/]/g, '\\$&'))
    .join('|'),
  'g',
);

/** The tag that each closing one closes. */
const openedBy = new Map(tags.map(([open, close]) => [close, open]));

/**
 * Finds the end of the thinking and the start of the solution. The opening tag may be missing (a chat template put it
 * into the prompt), or the closing tag, if the text was cut off in its thinking.
 * Linear in the length of the text.
 */
export function spokenPart(text: string): Spoken {
  let start = 0;
  const open = new Set<string>();
  for (const { 0: tag, index } of text.matchAll(anyTag)) {
    const opening = openedBy.get(tag);
    if (opening === undefined) open.add(tag);
    else {
      open.delete(opening);
      start = index + tag.length;
    }
  }
  const cutOff = open.size > 0;
  return { start: cutOff ? text.length : start, end: text.length, cutOff };
}

/** The tag that would close the open thinking at the end of a text; null if none is open. */
export function openThinking(text: string): string | null {
  const open = tags.find(([open, close]) => text.lastIndexOf(open) > text.lastIndexOf(close));
  return open?.[1] ?? null;
}

/**
 * Splits a text into its thinking, without tags, and its solution. With several thinking sections, everything up to the
 * end of the last one is thinking.
 */
export function partThinking(text: string): { thought: string; body: string } {
  const { start } = spokenPart(text);
  if (start === 0) return { thought: '', body: text };
  let thought = text.slice(0, start).trim();
  for (const [open, close] of tags) {
    if (thought.endsWith(close)) thought = thought.slice(0, -close.length).trimEnd();
    if (thought.startsWith(open)) thought = thought.slice(open.length).trimStart();
  }
  return { thought, body: text.slice(start) };
}
