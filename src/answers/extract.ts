/** Extracts the final answer of a text. */
import { abbreviations } from './abbreviations';
import { answerBoxes, contentOf } from './boxes';
import { lastNumber, longestLine, readLine, type Said, trimmed, wholeValue, written } from './line';
import { answerHeading, answerLine, answerPhrase, headingMarks, nextQuestion } from './marks';
import { readingsOf } from './readings';
import type { Span } from './span';
import { spokenPart } from './thinking';
import { verdictAtStart } from './words';

/**
 * The kind of mark before an answer; `number` is the last number or formula of a text without a mark, `bold` a bold one
 * there.
 */
type AnswerKind = 'box' | 'tag' | 'json' | 'hash' | 'line' | 'phrase' | 'bold' | 'number';

export interface Answer extends Span {
  /**
   * A number in plain digits ("1080", "-10", "42.00", "3/4"); otherwise a quantity, a formula or a few words as
   * written.
   */
  value: string;
  kind: AnswerKind;
}

/**
 * The final answer of a text, ignoring its thinking; a text that was cut off in its thinking has none. If a base model
 * continues with a next question, the answer to the first one counts. Looked for in this order: the last \boxed{} (or
 * \fbox), the last <answer>, a JSON object or tool call with an "answer", the last "#### n", the last "Answer:" or
 * heading "Final Answer" (and equivalents in other languages), the last "the answer is"; in lenient mode then a bold
 * value in the last paragraph, and the last formula or number anywhere.
 *
 * The first kind that is present decides: if nothing follows the mark, as in a text that was cut off at "Answer:",
 * there is no answer (lenient mode then uses the last number). `readLine` documents how an answer line is read. `start`
 * and `end` are the range of the value as written. Linear in the length of the text.
 */
export function extractAnswer(text: string, mode: 'strict' | 'lenient' = 'strict'): Answer | null {
  const spoken = spokenPart(text);
  if (spoken.cutOff) return null;
  const parts = questionsIn(text, spoken);
  for (const { start, end } of parts) {
    const part = text.slice(start, end);
    const found = marked(part, { start: 0, end: part.length });
    if (!found) continue;
    const answer = found.value === '' && mode === 'lenient' ? unmarked(part) : found;
    return answer && answer.value !== '' ? moved(answer, start) : null;
  }
  if (mode === 'strict') return null;
  for (const { start, end } of parts) {
    const found = unmarked(text.slice(start, end));
    if (found) return moved(found, start);
  }
  return null;
}

const moved = (answer: Answer, by: number): Answer => ({ ...answer, start: answer.start + by, end: answer.end + by });

/** Splits a text at the questions that it asks itself. */
function questionsIn(text: string, { start, end }: Span): Span[] {
  const spoken = text.slice(start, end);
  const parts: Span[] = [];
  let from = start;
  for (const match of spoken.matchAll(nextQuestion)) {
    parts.push({ start: from, end: start + match.index });
    from = start + match.index + match[0].length;
  }
  parts.push({ start: from, end });
  return parts.filter((part) => text.slice(part.start, Math.min(part.end, part.start + 2000)).trim() !== '');
}

/** The text after the first kind of mark that is present; an empty value if nothing follows it. */
function marked(text: string, part: Span): Answer | null {
  return (
    inBox(text, part) ??
    inTag(text, part) ??
    inJson(text, part) ??
    behindHash(text, part) ??
    behindLine(text, part) ??
    behindPhrase(text, part)
  );
}

/** An empty value: there is a mark without an answer. */
const nothing = (kind: AnswerKind, at: number): Answer => ({ value: '', kind, start: at, end: at });

/** Marks that outrank an earlier box, because students also box intermediate results. */
const finalAnswer = /(?<![\p{L}\p{N}])final[ \t]answer[ \t*_]{0,8}(?:[:：]|\n|$)/giu;

function inBox(text: string, { start, end }: Span): Answer | null {
  const boxes = answerBoxes(text, start, end);
  if (boxes.length === 0) return null;
  const last = boxes.at(-1)!;
  const final = lastMatch(text, { start: last.end, end }, finalAnswer);
  const closing = final && behindLine(text, { start: final.start, end });
  if (closing && closing.value !== '') return closing;
  if (!last.closed || contentOf(text, last) === '') return nothing('box', last.from);
  if (boxes.length > 1) {
    const value = boxes.map((box) => contentOf(text, box)).join(', ');
    return { value, kind: 'box', start: boxes[0].from, end: last.to };
  }
  const unit = /^\$?\s?(?:\\?%|percent|pct)/.exec(text.slice(last.end, last.end + 12))?.[0];
  const content = contentOf(text, last);
  if (unit) return { value: `${content}%`, kind: 'box', start: last.from, end: last.to };
  const place = { start: last.from, end: last.to };
  const node = readingsOf(content, false)[0];
  return { ...(node ? written(text, place, node) : { ...place, value: content }), kind: 'box', ...(node ? {} : place) };
}

const openTag = /<(?:final_)?answer>/gi;
const closeTag = /<\/(?:final_)?answer>/gi;

function inTag(text: string, part: Span): Answer | null {
  const open = lastMatch(text, part, openTag);
  if (!open) return null;
  closeTag.lastIndex = open.end;
  const to = Math.min(closeTag.exec(text)?.index ?? part.end, part.end);
  const inside = { start: open.end, end: to };
  const found = behindHash(text, inside) ?? behindLine(text, inside) ?? behindPhrase(text, inside);
  if (found) return found;
  const start = open.end + text.slice(open.end, to).search(/\S|$/);
  return valueIn(text, start, Math.min(to, start + longestTagged), 'tag');
}

/** Maximum code units that are read of a tag's content without another mark. */
const longestTagged = 2000;

const jsonKey =
  /"(?:final_?answer|answer|result|value|output)"\s{0,4}:\s{0,4}("(?:[^"\\\n]|\\.){0,400}"|[-+\d.eE]{1,40}|true|false|null|\[[^[\]]{0,200}\])/gi;

/** The last "answer" of a JSON object or tool call at the end of the text. */
function inJson(text: string, { start, end }: Span): Answer | null {
  const tail = text.slice(Math.max(start, end - 4000), end);
  if (!/(?:\}|\]|```|<\/(?:tool_call|function)>)\s*$/.test(tail.replace(/<\|[^|]{1,30}\|>\s*$/, ''))) return null;
  const key = [...tail.matchAll(jsonKey)].at(-1);
  if (!key) return null;
  const at = end - tail.length + key.index + key[0].length - key[1].length;
  const quoted = key[1].startsWith('"');
  const value = quoted ? unquoted(key[1]) : key[1].replace(/^\[|\]$|^null$/g, '');
  const found = value.trim() === '' ? null : readLine(value, 0, value.length);
  return found
    ? { value: found.value, kind: 'json', start: at + (quoted ? 1 : 0), end: at + key[1].length - (quoted ? 1 : 0) }
    : nothing('json', at);
}

function unquoted(source: string): string {
  // LaTeX whose backslashes were not escaped: "\frac" does not start with a form feed.
  if (/(?<!\\)\\[a-zA-Z]{2}/.test(source)) return source.slice(1, -1);
  try {
    return String(JSON.parse(source));
  } catch {
    return source.slice(1, -1);
  }
}

function behindHash(text: string, { start, end }: Span): Answer | null {
  for (
    let mark = text.lastIndexOf('####', end);
    mark >= start;
    mark = mark > 3 ? text.lastIndexOf('####', mark - 4) : -1
  ) {
    const line = lineAfter(text, mark + 4, end);
    if (text.slice(mark + 4, Math.min(end, mark + 40)).trim() === '' && mark + 40 >= end) return nothing('hash', end);
    // Not a Markdown heading such as "#### Step 2" or "#### 1. Apples".
    const content = text.slice(line.start, line.end);
    if (/^[ \t]*[-−－+]?[\\$€£]{0,2}[.\d]/.test(content) && !/^[ \t]*\d{1,3}[.)][ \t]+\S/.test(content))
      return valueIn(text, line.start, line.end, 'hash');
    // A heading has text under it, or is no value.
    if (text.slice(line.end, end).trim() === '' && isValue(text, line))
      return valueIn(text, line.start, line.end, 'hash');
  }
  // A heading that consists of a number, at the end of the text.
  const tail = text.slice(Math.max(start, end - 80), end);
  const heading = /(?:^|\n)#{1,3}[ \t]+(?=\*{0,2}[-−]?\$?[\d.,]+\*{0,2}\s*$)/.exec(tail);
  return heading ? valueIn(text, end - tail.length + heading.index + heading[0].length, end, 'hash') : null;
}

const isValue = (text: string, line: Span) =>
  verdictAtStart(text.slice(line.start, line.end)) !== null ||
  wholeValue(text, trimmed(text, line.start, line.end)) !== null;

function behindLine(text: string, part: Span): Answer | null {
  const marks = [answerLine, answerHeading, headingMarks]
    .map((mark) => lastMatch(text, part, mark))
    .filter((mark) => mark !== null);
  const mark = marks.sort((a, b) => a.end - b.end).at(-1);
  if (!mark) return null;
  const line = lineAfter(text, mark.end, part.end);
  // "Final Answer: The final answer is 42."
  const phrase = lastMatch(text, line, answerPhrase);
  return phrase ? valueIn(text, phrase.end, line.end, 'line') : valueIn(text, line.start, line.end, 'line');
}

function behindPhrase(text: string, part: Span): Answer | null {
  const mark = lastMatch(text, part, answerPhrase);
  return mark && valueBehind(text, mark.end, part.end, 'phrase');
}

function lastMatch(text: string, { start, end }: Span, pattern: RegExp): Span | null {
  let last: Span | null = null;
  const part = start === 0 && end === text.length ? text : text.slice(start, end);
  for (const match of part.matchAll(pattern))
    last = { start: start + match.index, end: start + match.index + match[0].length };
  return last;
}

/**
 * The line that begins at `from`, or the next one without its bullet if this one contains only spaces and bold marks.
 */
function lineAfter(text: string, from: number, limit: number): Span {
  const lead = /^(?:[\s*_:]|\\[[(]|\$\$){0,16}/.exec(text.slice(from, Math.min(limit, from + 32)))![0];
  const bullet = lead.includes('\n')
    ? /^[-–][ \t]{1,8}/.exec(text.slice(from + lead.length, from + lead.length + 16))
    : null;
  const start = from + lead.length + (bullet?.[0].length ?? 0);
  // A matrix may span several lines.
  const matrix = text.startsWith('\\begin{', start) ? text.indexOf('\\end{', start) : -1;
  const newline = text.indexOf('\n', Math.max(start, matrix));
  return { start, end: Math.min(newline < 0 ? limit : newline, start + longestLine, limit) };
}

function valueBehind(text: string, mark: number, limit: number, kind: AnswerKind): Answer {
  const line = lineAfter(text, mark, limit);
  return valueIn(text, line.start, line.end, kind);
}

/** "No. 500", as a whole line. */
const numbered = /^(?:no|nr)\.\s?(?=\d{1,12}\.?\s*$)/i;

const firstSentence = new RegExp(
  `^[^\\n]*?(?<!\\\\|\\b[ap]\\.m|\\b[ap]|^[A-Z]|\\b(?:${abbreviations.join('|')}))[.!?](?=\\s)(?!\\s*[ap]?\\.?m\\b)`,
  'i',
);

function valueIn(text: string, from: number, end: number, kind: AnswerKind): Answer {
  const start = from + (numbered.exec(text.slice(from, Math.min(end, from + 40)))?.[0].length ?? 0);
  // "B. 32" is one answer.
  const sentence = firstSentence.exec(text.slice(start, end))?.[0].length;
  const stop = sentence === undefined ? end : start + sentence;
  const found: Said | null = readLine(text, start, stop) ?? (stop < end ? readLine(text, start, end) : null);
  return found ? { ...found, kind } : nothing(kind, start);
}

/** Lenient mode searches this many code units at the end of a text. */
const tailLength = 600;
const longestTail = 20_000;

/** The final value of a text without a mark: a short text as a whole, a bold value, a formula, a number. */
function unmarked(text: string): Answer | null {
  const body = trimmed(text, 0, text.length);
  const whole = body.end - body.start <= 200 ? text.slice(body.start, body.end) : '';
  if (/[\\$=([{<>≤≥]/.test(whole) && !(formulas.test(whole) && /\p{L}{2}/u.test(whole.replace(formulas, '')))) {
    const node = readingsOf(whole, false)[0];
    if (node && (node.kind !== 'text' || /^\$.*\$$/.test(text.trim())))
      return { ...written(text, body, node), kind: 'number' };
  }
  return lastBold(text, body) ?? lastValue(text, body);
}

function lastBold(text: string, { start, end }: Span): Answer | null {
  const paragraph = Math.max(start, end - tailLength, text.lastIndexOf('\n\n', end));
  const bold = [...text.slice(paragraph, end + 2).matchAll(/\*\*([^*\n]{1,120})\*\*/g)].at(-1);
  if (!bold || !/\d/.test(bold[1])) return null;
  const from = paragraph + bold.index + 2;
  const found = readLine(text, from, from + bold[1].length);
  return found && /\d/.test(found.value) ? { ...found, kind: 'bold' } : null;
}

/** The last formula in dollar signs or the last number, whichever ends later. */
function lastValue(text: string, { start, end }: Span): Answer | null {
  let digit = end - 1;
  while (digit >= start && !/\p{Nd}/u.test(text[digit])) digit--;
  const formula = lastFormula(text, Math.max(start, end - longestTail), end);
  if (formula && formula.end > digit) return formula;
  if (digit < start) return null;
  const from = Math.max(start, digit - 200, text.lastIndexOf('\n', digit) + 1);
  const newline = text.indexOf('\n', digit);
  const found = lastNumber(text, { start: from, end: Math.min(newline < 0 ? end : newline, digit + 60, end) });
  return found && { ...found, kind: 'number' };
}

const formulas =
  /\$\$([^$]{1,300})\$\$|\$((?:[^$\\]|\\.){1,300})\$|\\\(((?:[^\\]|\\(?!\)).){1,300}?)\\\)|\\\[((?:[^\\]|\\(?!\]).){1,300}?)\\\]/gs;

/** The last meaningful formula: more than the name of an unknown. */
function lastFormula(text: string, start: number, end: number): Answer | null {
  const all = [...text.slice(start, end + 2).matchAll(formulas)].reverse();
  for (const match of all.slice(0, 3)) {
    const content = match.slice(1).find((group) => group !== undefined)!;
    const from = start + match.index + match[0].indexOf(content);
    const place = trimmed(text, from, from + content.length);
    const node = /[\d\\]/.test(content) ? readingsOf(text.slice(place.start, place.end), false)[0] : undefined;
    if (node && node.kind !== 'text') return { ...written(text, place, node), kind: 'number' };
  }
  return null;
}
