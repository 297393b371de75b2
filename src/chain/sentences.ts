import { abbreviations } from '../answers/abbreviations';
import { latexSpans } from '../arithmetic/latex';
import type { Span } from './types';

/** Abbreviations that never end a sentence. Other abbreviations end one if a capital letter follows. */
const neverLast = new Set([...abbreviations, ...'jr sr vs no fig eq e.g i.e cf resp min max avg'.split(' ')]);

/**
 * The sentences of a text in order, as trimmed ranges that together cover everything but white space.
 *
 * A sentence ends at . ! ? … before white space unless a lower-case letter follows, at a blank line, and at a line's
 * end unless the next line continues with a lower-case letter or an operator. It never ends inside LaTeX, at a decimal
 * point, after an abbreviation, an initial or the number of a list item.
 */
export function splitSentences(text: string): Span[] {
  const spans: Span[] = [];
  const math = latexSpans(text);
  let nextMath = 0;
  let start = 0;
  const cut = (end: number) => {
    const piece = trimSpan(text, { start, end });
    if (piece.end > piece.start) spans.push(piece);
    start = end;
  };
  for (const match of text.matchAll(/[.!?…]["'”’)\]*]{0,4}(?=\s|$)|\n/g)) {
    const at = match.index;
    while (nextMath < math.length && math[nextMath].end <= at) nextMath++;
    if (nextMath < math.length && math[nextMath].start <= at) continue;
    const end = at + match[0].length;
    if (match[0] === '\n' ? endsLine(text, end) : endsSentence(text, start, at, end)) cut(end);
  }
  cut(text.length);
  return spans;
}

function endsLine(text: string, next: number): boolean {
  return !/^[ \t]*[a-z=+×÷]/.test(text.slice(next, next + 40));
}

function endsSentence(text: string, start: number, at: number, end: number): boolean {
  if (/^[ \t]*[a-z]/.test(text.slice(end, end + 40))) return false;
  if (text[at] !== '.' || end > at + 1) return true;
  const before = text.slice(Math.max(start, at - 40), at);
  if (/(^|\n)\s*\d{1,3}$/.test(before)) return false; // the number of a list item
  if (/(^|\s)[A-Z]\p{L}+ [A-Z]$/u.test(before)) return false; // Homer J. Simpson, but not "call it L."
  const word = /\S{1,24}$/.exec(before)?.[0] ?? '';
  return !neverLast.has(word.replace(/^[("'*]+/, '').toLowerCase());
}

/** The range without white space at its ends. */
export function trimSpan(text: string, { start, end }: Span): Span {
  while (start < end && /\s/.test(text[start])) start++;
  while (end > start && /\s/.test(text[end - 1])) end--;
  return { start, end };
}
