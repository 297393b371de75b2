import { partThinking } from '../answers/thinking';
import { bodyOf } from './body';
import { splitSentences, trimSpan } from './sentences';
import type { Chain, Span } from './types';

/** A chain with the places of its parts in the text that it was split from. */
export interface PlacedChain {
  chain: Chain;
  /** The range of each step's text, and where its mark begins ("Step 2:"). */
  steps: readonly Step[];
  /** Where the line or sentence with the answer begins; absent if no answer follows the steps. */
  answer?: number;
  /** A range within a step, by default all of it; undefined where there is no such step. */
  place(range: { step: number; start?: number; end?: number }): Span | undefined;
}

interface Step extends Span {
  mark: number;
}

/**
 * Splits a text into thinking, steps and answer.
 *
 * Steps are, in order of preference: the text after "Step k:" marks; the lines of a GSM8K solution (one that ends with
 * `#### 72`); a numbered list from 1; the sentences (`stepsOfSentences`). The thinking is a `<think>` block, or the
 * text before the first mark, without "Thinking…". The answer follows the last answer mark on its line (or on the next
 * line if the rest of its own is empty), or else a closing formula (`closings`); boxes are removed. Step marks are
 * searched at line starts only, unless there are none there. Never throws. Source: the rules of the BRIDGE release, for
 * text that is not in our form.
 */
export const splitChain = (text: string): Chain => placeChain(text).chain;

/** As `splitChain`, with places. */
export function placeChain(given: string): PlacedChain {
  const { thought, text, origin } = bodyOf(given);
  const { head, steps, answer, answerAt } = partsOf(text);
  const placed = ({ start, end }: Span) => ({ start: origin(start), end: origin(end) });
  return {
    chain: {
      thinking: [thought, head].filter(Boolean).join('\n\n'),
      steps: steps.map(({ start, end }) => text.slice(start, end)),
      answer,
    },
    steps: steps.map((step) => ({ ...placed(step), mark: origin(step.mark) })),
    answer: answerAt >= (steps.at(-1)?.end ?? 0) && answerAt < text.length ? origin(answerAt) : undefined,
    place: ({ step, start = 0, end }) => {
      const whole = steps[step];
      if (!whole) return undefined;
      // A recorded range that goes beyond the step was made by another version: then the step is all that is known.
      if (end === undefined || whole.start + end > whole.end) return placed(whole);
      return placed({ start: whole.start + start, end: whole.start + end });
    },
  };
}

/** Of a text without tags; ranges are of that text. `answerAt`: its length where no line or sentence says an answer. */
interface Parts {
  head: string;
  steps: Step[];
  answer: string;
  answerAt: number;
}

function partsOf(text: string): Parts {
  const solution = splitSolution(text);
  if (solution) return solution;
  const { marks, numbered } = findSteps(text);
  const { end, answer } = findAnswer(text, marks);
  const answerAt = end + /^\s*/.exec(text.slice(end))![0].length;
  const spoken = thinkingMark.exec(text.slice(0, 200));
  const before = { start: spoken?.[0].length ?? 0, end: Math.min(marks[0]?.start ?? end, end) };
  if (marks.length === 0 && !spoken) {
    const { steps, naming = answerAt } = stepsOfSentences(text, before.end);
    return { head: '', steps, answer, answerAt: naming };
  }
  const steps = marks.map((mark, i) => {
    const next = marks[i + 1]?.start ?? text.length;
    const step = stepIn(text, { start: mark.end, end: end >= mark.end && end < next ? end : next }, numbered);
    return { ...step, mark: mark.start };
  });
  const head = text.slice(before.start, before.end).trim();
  return { head, steps: steps.filter(({ start, end }) => start < end), answer, answerAt };
}

/** The text of a step, without what follows it and, in a numbered list, without its title. */
function stepIn(text: string, { start, end }: Span, numbered: boolean): Span {
  const said = text.slice(start, end).replace(strayAnswer, '').replace(rule, '');
  const step = trimSpan(text, { start, end: start + said.length });
  const title = numbered ? /^\*\*[^*\n]{1,80}\*\*:?\s*(?=\S)/.exec(text.slice(step.start, step.end)) : null;
  return { start: step.start + (title?.[0].length ?? 0), end: step.end };
}

/**
 * A chain's thinking (a tagged block, or the text after "Thinking:" at the start, up to the first step) and the
 * solution as written.
 */
export function partChain(text: string): { thinking: string; solution: string } {
  const { thought, body } = partThinking(text);
  const spoken = thinkingMark.exec(body.slice(0, 200));
  const start = spoken ? findSteps(body).marks[0]?.start : 0;
  if (!start) return { thinking: thought, solution: body.trim() };
  const said = body.slice(spoken![0].length, start).trim();
  return { thinking: [thought, said].filter(Boolean).join('\n\n'), solution: body.slice(start).trim() };
}

/** "Thinking…", "Thinking...", "Thinking:" at the head of a text, bold or not. */
const thinkingMark = /^\s{0,40}\*{0,2}Thinking(?:…|\.\.\.|:)\*{0,2}/;

interface Mark extends Span {
  number: number;
}

/** "Step 1:", "## Step 1.", "**Step 1**:", "Step 1 - ", "Schritt 1:", "步骤1：" at the start of a line. */
const stepMark = new RegExp(
  [
    '^[ \\t]{0,8}(?:[#>*-]{1,6}[ \\t]{0,4}){0,2}',
    '(?:Step|Schritt|Étape|Etape|Paso|Passo|Passaggio|Stap|Steg|Krok|Adım|Шаг|Крок|步骤|步驟|ステップ|단계)',
    '[ \\t]?(\\d{1,4})(?:\\*\\*)?[ \\t]?(?:[:：.)]\\*{0,2}|[-–—](?=[ \\t]))',
  ].join(''),
  'gim',
);

function findSteps(text: string): { marks: Mark[]; numbered: boolean } {
  const find = (pattern: RegExp): Mark[] =>
    [...text.matchAll(pattern)].map((match) => ({
      start: match.index,
      end: match.index + match[0].length,
      number: numberOf(match[1]),
    }));
  const atLineStart = find(stepMark);
  if (atLineStart.length > 0) return { marks: atLineStart, numbered: false };
  const inline = find(/(?<![^\s*])\*{0,2}Step (\d{1,4}):\*{0,2}/g);
  if (inline[0]?.number === 1) return { marks: inline, numbered: false };
  const lists = [/^[ \t]{0,8}\(?(\d{1,3})[.)](?=[ \t])/gm, /^[ \t]{0,8}\(?([a-z])\)(?=[ \t])/gm];
  const list = lists.map((pattern) => counting(find(pattern))).find((marks) => marks.length >= 2);
  return { marks: list ?? [], numbered: true };
}

/** The numbers of "7", and of "c" in a list a), b), c). */
const numberOf = (text: string) => (/\d/.test(text) ? Number(text) : text.charCodeAt(0) - 96);

/** A list must count 1, 2, 3 ..., as a line may begin with a number for other reasons. */
function counting(marks: readonly Mark[]): Mark[] {
  let expected = 1;
  return marks.filter(({ number }) => {
    if (number !== expected) return false;
    expected++;
    return true;
  });
}

/** Answer marks in the languages of step marks; words that can also head a whole solution ("Lösung") are excluded. */
const answerWords = [
  '(?:Final )?Answer|(?:Endgültige )?Antwort|Respuesta(?: final)?|' +
    'Réponse(?: finale)?|Risposta(?: finale)?|Resposta(?: final)?',
  'Antwoord|Svar|Odpowiedź|Cevap|Ответ|Відповідь|(?:最终|最終)?答案|答え|答|정답|답',
].join('|');
const answerMark = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:\\*{0,2}(?:${answerWords})(?:[ \\t]?|\\*{1,2})[:：]\\*{0,2}[ \\t]{0,4})+`,
  'giu',
);
/** Text that may precede an answer mark on its line, including an empty step label. */
const headOfLine = /(?:^|\n)[ \t>#*-]{0,8}(?:Step[ \t]?\d{1,4}[ \t]?[:.)][ \t*]{0,4})?$/i;
/** An answer line and everything after it inside a step: present if a student continues after its answer. */
const strayAnswer = new RegExp(`(?<=\\n)[ \\t>#*-]{0,8}(?:${answerWords})(?:[ \\t]?|\\*{1,2})[:：][\\s\\S]*$`, 'iu');
/** A horizontal rule after a step. */
const rule = /\n[ \t]*(?:-{3,}|\*{3,}|_{3,})\s*$/;

/**
 * Closing formulas of solutions without "Answer:", at the end of the text: a heading, GSM8K's line, a box on its own
 * line, a last sentence.
 */
const closings = [
  /(?:(?:^|\n)[ \t>#*-]{0,8}|(?<=[:.)][ \t*]{1,4}))Final Answer[ \t*:]{0,6}\n\s*(\S[\s\S]*)$/i,
  /(?:^|\n)[ \t]*####[ \t]*(-?[$.\d][^\n]*)$/,
  /(?:^|\n)\s*((?:\\[[(]|\$\$?|\*\*)?\s*\\boxed\{[^\n]*\}\s*(?:\\[\])]|\$\$?|\*\*)?\.?)$/,
  /(?:^|(?<=[.!?\n]))[ \t]*\*{0,2}(?:(?:so|thus|hence|therefore)[ ,]+)?the (?:final )?answer is:?[ \t]+(\S+(?:[ \t]+\S+){0,7})$/i,
];
/** Maximum code units of an answer with its mark and formatting. */
const longestClosing = 300;

function findClosing(text: string, from: number): { end: number; answer: string } {
  const body = text.trimEnd();
  const start = Math.max(from, body.length - longestClosing);
  const tail = body.slice(start);
  for (const closing of closings) {
    const found = closing.exec(tail);
    if (found) return { end: start + found.index, answer: withoutFormatting(lastBox(found[1])) };
  }
  // A box in the last sentence is its answer, and the sentence is also a step.
  const box = lastBox(tail);
  return { end: text.length, answer: box.startsWith('\\boxed{') ? unbox(boxAlone(box)) : '' };
}

/** The box at the beginning of a text, without the text after it; '' if it is not closed. */
function boxAlone(text: string): string {
  let depth = 0;
  for (const match of text.matchAll(/[{}]/g)) {
    depth += match[0] === '{' ? 1 : -1;
    if (depth === 0) return text.slice(0, match.index + 1);
  }
  return '';
}

/** From the last box on; the whole text if there is none. */
const lastBox = (text: string) => text.slice(Math.max(0, text.lastIndexOf('\\boxed{')));

/** A text without surrounding bold marks, LaTeX delimiters and the final period. */
const withoutFormatting = (text: string) => unbox(text.replace(/^(?:\\[[(]|[\s$*])+|(?:\\[\])]|[\s$*.])+$/g, ''));

/**
 * The answer after the last mark at a line start, or else (as BRIDGE's teacher writes it in the last step's line) after
 * the last mark in the last step; and where the text before the mark ends.
 */
function findAnswer(text: string, marks: Mark[]): { end: number; answer: string } {
  const first = marks[0]?.end ?? 0;
  const lastStep = marks.at(-1)?.end ?? 0;
  let found: Span | undefined;
  let headed = false;
  for (const match of text.matchAll(answerMark)) {
    const start = match.index;
    if (start < first) continue;
    const heads = headOfLine.test(text.slice(Math.max(0, start - 30), start));
    if (!heads && (headed || start < lastStep)) continue;
    found = { start, end: start + match[0].length };
    headed = heads;
  }
  if (!found) return findClosing(text, first);
  const line = /^[ \t*]{0,40}\n?[ \t]{0,40}([^\n]*)/.exec(text.slice(found.end, found.end + 2000))?.[1] ?? '';
  const answer = line.includes('\\boxed{')
    ? withoutFormatting(lastBox(line))
    : line.trim().replace(/^\*+\s*|\s*\*+$/g, '');
  return { end: found.start, answer };
}

/** The content of a box that is the whole text, or the text itself. */
function unbox(text: string): string {
  return /^\$?\\boxed\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\.?\$?\.?$/.exec(text)?.[1].trim() ?? text;
}

/** GSM8K as published: one step per line, and a last line "#### 72". */
function splitSolution(text: string): Parts | null {
  const at = text.lastIndexOf('####');
  if (at < 0 || (at > 0 && text[at - 1] !== '\n')) return null;
  const answer = /^####[ \t]?(-?[$.\d][^\n]{0,80})\s*$/.exec(text.slice(at))?.[1].trim();
  if (answer === undefined || findSteps(text.slice(0, at)).marks.length > 0) return null;
  const lines = [...text.slice(0, at).matchAll(/[^\n]+/g)].map(({ 0: line, index }) =>
    trimSpan(text, { start: index, end: index + line.length }),
  );
  const steps = lines.filter(({ start, end }) => start < end).map((line) => ({ ...line, mark: line.start }));
  return { head: '', steps, answer, answerAt: at };
}

/** A copy without GSM8K's calculator marks: "48/2 = <<48/2=24>>24" becomes "48/2 = 24". */
export function stripCalculatorMarks(text: string): string {
  return text.replace(/<<[^<>\n]{0,200}>>/g, '');
}

/**
 * Steps of a text without marks: its sentences, all of them but a last one that only names the answer. A sentence too
 * short to be a step goes with the next one of its paragraph, or else the one before; so do short neighbours on one
 * subject, except lines that compute. `naming`: where that last one begins.
 */
function stepsOfSentences(text: string, end: number): { steps: Step[]; naming?: number } {
  const spans = splitSentences(text.slice(0, end));
  const last = spans.at(-1);
  const naming = spans.length > 1 && last && namesAnswer(text.slice(last.start, last.end)) ? last.start : undefined;
  if (naming !== undefined) spans.pop();
  const steps: Sentences[] = [];
  for (const sentence of spans.map((span) => measured(text, span))) {
    const before = steps.at(-1);
    if (before && isJoined(text, before, sentence)) {
      const parted = /\s/.test(text.slice(before.end, sentence.start));
      before.words += sentence.words - (parted ? 0 : 1);
      before.end = sentence.end;
      before.equals ||= sentence.equals;
      before.digit ||= sentence.digit;
    } else steps.push(sentence);
  }
  return { steps: steps.map(({ start, end }) => ({ start, end, mark: start })), naming };
}

/** One or several sentences, measured once: a step may be joined from thousands. */
interface Sentences extends Span {
  words: number;
  equals: boolean;
  digit: boolean;
}

function measured(text: string, { start, end }: Span): Sentences {
  const sentence = text.slice(start, end);
  return { start, end, words: countWords(sentence), equals: sentence.includes('='), digit: /\d/.test(sentence) };
}

function isJoined(text: string, before: Sentences, next: Sentences): boolean {
  const between = text.slice(before.end, next.start);
  if (/\n[ \t]*\n/.test(between)) return false;
  // Lines that compute are steps, as in GSM8K's solutions, but what follows aligned equations goes with them.
  const formula = /\\end\{[a-z]{1,10}\*?\}$/.test(text.slice(Math.max(0, before.end - 18), before.end));
  if (between.includes('\n') && !formula && computes(before) && computes(next)) return false;
  return isShort(before) || isShort(next) || belongTogether(text, before, next);
}

const computes = ({ equals, digit }: Sentences) => equals && digit;

/** Too few words for a step, and no arithmetic. */
const isShort = (sentence: Sentences) => sentence.words < 10 && !computes(sentence);

/** "The final answer is 5.", "So \\boxed{5}.": repeated by the answer line. */
function namesAnswer(sentence: string): boolean {
  if (hasEquation(sentence) || countWords(sentence) > 12) return false;
  return /\b(?:final answer|the answer is|answer:)/i.test(sentence) || /^\W*(?:\w+\W+){0,3}\\boxed/.test(sentence);
}

function belongTogether(text: string, a: Sentences, b: Sentences): boolean {
  if (a.words >= 25 || a.words + b.words >= 40) return false;
  const words = contentWords(text.slice(a.start, a.end));
  return [...contentWords(text.slice(b.start, b.end))].filter((word) => words.has(word)).length >= 2;
}

const hasEquation = (text: string) => text.includes('=') && /\d/.test(text);
const countWords = (text: string) => text.split(/\s+/).filter(Boolean).length;
const functionWords = new Set(
  (
    'the a an of to in on at for and or so is are was were be has have had he she it they we you his ' +
    'her its their this that with by from as each per then there how many much will would'
  ).split(' '),
);

function contentWords(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+(?:[.,'’]\p{N}+)*/gu) ?? [];
  return new Set(words.filter((word) => !functionWords.has(word)));
}
