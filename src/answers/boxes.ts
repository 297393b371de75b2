/** \boxed{}: selects the box that counts, and extracts its content. */
import { closing } from './lexer';
import { takenBack } from './marks';
import type { Span } from './span';
import { unitNamed } from './units';

export interface Box extends Span {
  /** Range of the content; `end` is after the brace. */
  from: number;
  to: number;
  closed: boolean;
}

const mark = /\\(?:boxed|fbox|framebox)(?![a-zA-Z])\s{0,4}/y;
/** Maximum number of boxes examined, from the end of a text, and code units of one. */
const maxBoxes = 16;
const maxContent = 4000;

/**
 * The boxes at the end of a text that are its answer: the last one, together with those before it that are joined to it
 * by a comma or "and" (\boxed{1} and \boxed{2}). A box that is rejected ("would be wrong") or contains only a unit
 * ("\text{hours}") is skipped if there is another one.
 */
export function answerBoxes(text: string, from: number, to: number): Box[] {
  const all = lastBoxes(text, from, to);
  const said = all.filter(({ end }) => !takenBack.test(text.slice(end, end + 80)));
  const boxes = said.length > 0 ? said : all;
  while (boxes.length > 1 && isUnitAlone(contentOf(text, boxes.at(-1)!))) boxes.pop();
  const last = boxes.length - 1;
  let first = last;
  while (first > 0 && areJoined(text.slice(boxes[first - 1].end, boxes[first].start))) first--;
  const joined = boxes.slice(first);
  const distinct = joined.filter(
    (box, i) => i === joined.findIndex((b) => contentOf(text, b) === contentOf(text, box)),
  );
  return distinct;
}

export const contentOf = (text: string, { from, to }: Box) => text.slice(from, to).trim();

function lastBoxes(text: string, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  let end = to;
  for (let start = text.lastIndexOf('\\', end - 1); start >= from && boxes.length < maxBoxes; ) {
    mark.lastIndex = start;
    const found = mark.exec(text)?.[0];
    if (found) {
      const box = boxAt(text, start, start + found.length, Math.min(to, start + maxContent));
      if (box) {
        // An enclosing box replaces this one.
        while (boxes.length > 0 && boxes[0].start < box.end && box.closed) boxes.shift();
        boxes.unshift(box);
      }
    }
    end = start;
    start = start > 0 ? text.lastIndexOf('\\', end - 1) : -1;
  }
  return boxes;
}

function boxAt(text: string, start: number, at: number, limit: number): Box | null {
  if (text[at] === '{') {
    const end = closing(text.slice(0, limit), at);
    const closed = end < limit;
    return { start, from: at + 1, to: closed ? end : at + 1, end: closed ? end + 1 : at + 1, closed };
  }
  const bare = /^(?:\\[a-zA-Z]+\{[^{}\n]*\}|[-+]?[\d.,/]*\d|[A-Za-z](?![A-Za-z]))/.exec(
    text.slice(at, Math.min(limit, at + 80)),
  )?.[0];
  return bare ? { start, from: at, to: at + bare.length, end: at + bare.length, closed: true } : null;
}

const isUnitAlone = (content: string) => {
  const words = /^\\?(?:text|mathrm|textbf)?\{?\s*([\p{L} ]+?)\s*\}?$/u.exec(content)?.[1];
  return words !== undefined && words.length > 1 && unitNamed(words) !== undefined;
};

/** Only punctuation, or a few words that include "and" or "or". */
function areJoined(between: string): boolean {
  if (between.length > 80 || /[.!?]\s|\n\s*\n/.test(between)) return false;
  const words = between.replace(/\\(?:text|quad|qquad|mathrm|left|right|ldots)/g, ' ').match(/\p{L}{2,}/gu) ?? [];
  if (words.length === 0) return between === '' || /[^\s$]/.test(between);
  return words.length <= 5 && words.some((word) => /^(?:and|or|und|et|y)$/i.test(word));
}
