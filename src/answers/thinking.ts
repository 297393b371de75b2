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

/** Most texts have no tag: one look tells, instead of one for each. */
const anyTag = new RegExp(
  tags
    .flat()
    .map((tag) => tag.replace(/[[\]|/]/g, '\\$&'))
    .join('|'),
);

/**
 * Finds the end of the thinking and the start of the solution. The opening tag may be missing (a chat template put it
 * into the prompt), or the closing tag, if the text was cut off in its thinking.
 * Linear in the length of the text.
 */
export function spokenPart(text: string): Spoken {
  if (!anyTag.test(text)) return { start: 0, end: text.length, cutOff: false };
  let start = 0;
  let cutOff = false;
  for (const [open, close] of tags) {
    const closed = text.lastIndexOf(close);
    if (closed >= 0) start = Math.max(start, closed + close.length);
    if (text.indexOf(open, closed < 0 ? 0 : closed + close.length) >= 0) cutOff = true;
  }
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
