import type { Span } from './span';

/** What a student says and what it only thinks. */
export interface Spoken extends Span {
  /** The text broke off inside its thinking: it says nothing. */
  cutOff: boolean;
}

/** How models of different families open and close their thinking. */
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

/**
 * Where in a text the thinking ends and the solution begins. The thinking may be closed, without its opening tag (a
 * chat template wrote that into the prompt), or open to the end, which is a text that was cut off in its thinking.
 * Linear in the length of the text.
 */
export function spokenPart(text: string): Spoken {
  let start = 0;
  let cutOff = false;
  for (const [open, close] of tags) {
    const closed = text.lastIndexOf(close);
    if (closed >= 0) start = Math.max(start, closed + close.length);
    if (text.indexOf(open, closed < 0 ? 0 : closed + close.length) >= 0) cutOff = true;
  }
  return { start: cutOff ? text.length : start, end: text.length, cutOff };
}

/** The tag that would close the thinking in which a text ends; null where it ends in none. */
export function openThinking(text: string): string | null {
  const open = tags.find(([open, close]) => text.lastIndexOf(open) > text.lastIndexOf(close));
  return open?.[1] ?? null;
}

/**
 * A text in its thinking, tags taken off, and what it says. Of several stretches of thinking all up to the last belong
 * to it.
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
