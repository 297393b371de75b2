/** Finds the parts of a chain in its text: `splitChain` returns them trimmed and joined. */
import { extractAnswer } from '../../answers/extract';
import type { Fault } from '../../chain/faults';
import { splitSentences } from '../../chain/sentences';
import { splitChain } from '../../chain/split';
import type { Chain, Span } from '../../chain/types';

export interface TextSegment extends Span {
  kind: 'thinking' | 'step' | 'answer';
  /** Index among the chain's steps. */
  step?: number;
}

export interface SegmentedText {
  chain: Chain;
  /** In order and without gaps: together they are the text. */
  segments: TextSegment[];
  /** The range of a fault in the text. */
  place(fault: Fault): Span;
}

/** Never throws; a text without steps is one segment. */
export function segmentText(text: string): SegmentedText {
  const chain = splitChain(text);
  const compact = compactOf(text);
  const found = findSteps(chain, compact);
  const starts: TextSegment[] = [];
  let before = 0;
  for (const { step, at, end } of found) {
    const start = labelStart(text, compact.places[at], before);
    starts.push({ kind: 'step', step, start, end: start });
    before = compact.places[end - 1] + 1;
  }
  const answer = answerStart(text, chain, before);
  if (answer !== null) starts.push({ kind: 'answer', start: answer, end: answer });
  const [first] = starts;
  if (!first) starts.push({ kind: 'thinking', start: 0, end: 0 });
  else if (text.slice(0, first.start).trim() !== '') starts.unshift({ kind: 'thinking', start: 0, end: 0 });
  else first.start = 0;
  const segments = starts.map((one, i) => ({ ...one, end: starts[i + 1]?.start ?? text.length }));
  return {
    chain,
    segments,
    place: (fault) => placeOf(fault, { chain, segments }, found, compact) ?? { start: 0, end: 0 },
  };
}

/** Where the sentences of a segment begin, except the first. */
export function sentenceStarts(text: string, { start, end }: Span): number[] {
  return splitSentences(text.slice(start, end))
    .slice(1)
    .map((sentence) => start + sentence.start);
}

/** A text without white space, with the original position of each character. */
interface Compact {
  text: string;
  places: number[];
}

function compactOf(text: string): Compact {
  const places: number[] = [];
  let kept = '';
  for (let i = 0; i < text.length; i++) {
    if (/\s/.test(text[i])) continue;
    places.push(i);
    kept += text[i];
  }
  return { text: kept, places };
}

interface FoundStep {
  step: number;
  /** Range in the compact text; the whole step unless `partly`. */
  at: number;
  end: number;
  partly: boolean;
}

/** Positions of the steps, in order. A step that cannot be found is skipped, and its text belongs to its neighbour. */
function findSteps(chain: Chain, { text }: Compact): FoundStep[] {
  const thinking = compactOf(chain.thinking).text;
  const tail = thinking.slice(-40);
  const thought = tail === '' ? -1 : text.indexOf(tail, thinking.length - tail.length);
  let cursor = thought < 0 ? 0 : thought + tail.length;
  return chain.steps.flatMap((content, step) => {
    const whole = compactOf(content).text;
    if (whole === '') return [];
    // Sentences without reasoning are dropped from within a step: then only its beginning is found in the text.
    for (const length of [whole.length, 40, 12]) {
      const part = whole.slice(0, length);
      const at = text.indexOf(part, cursor);
      if (at < 0) continue;
      cursor = at + part.length;
      return [{ step, at, end: cursor, partly: part.length < whole.length }];
    }
    return [];
  });
}

const label =
  /(?:^|\s)(?:[#>*-]{1,6}[ \t]{0,4}){0,2}(?:Step[ \t]?\d{1,4}[ \t]?[:.)]\*{0,2}|\d{1,3}[.)])[ \t]*(?:\*\*[^*\n]{1,80}\*\*:?)?\s*$/i;

/** The start of a step's label ("Step 3:", "3. **Total**:") before `start`, but not before `limit`. */
function labelStart(text: string, start: number, limit: number): number {
  const from = Math.max(limit, start - 140);
  const match = label.exec(text.slice(from, start));
  if (!match) return start;
  return from + match.index + (/^\s/.test(match[0]) ? 1 : 0);
}

/** Start of the answer line or sentence after the steps; null when there is none. */
function answerStart(text: string, chain: Chain, after: number): number | null {
  const mark = /(?<![\p{L}\p{N}])(?:[*#>-]{1,4}[ \t]*)?(?:(?:Final[ \t])?Answer[ \t]?:|####)/iu.exec(text.slice(after));
  if (mark && (chain.answer !== '' || chain.steps.length > 0)) return after + mark.index;
  const found = extractAnswer(text, 'strict');
  if (!found || found.start < after || chain.steps.length === 0) return null;
  const sentence = splitSentences(text.slice(after)).find(({ end }) => after + end >= found.end);
  return sentence ? after + sentence.start : null;
}

function placeOf(
  fault: Fault,
  { chain, segments }: Omit<SegmentedText, 'place'>,
  found: FoundStep[],
  compact: Compact,
): Span | null {
  const step = found.find((one) => one.step === fault.step);
  const segment = segments.find((one) => one.step === fault.step);
  if (!step || !segment) return null;
  const content = chain.steps[fault.step];
  const wrong = compactOf(content.slice(fault.start, fault.end)).text;
  const at = step.partly
    ? compact.text.indexOf(wrong, step.at)
    : step.at + compactOf(content.slice(0, fault.start)).text.length;
  const start = compact.places[at];
  if (wrong === '' || at < 0 || start >= segment.end) return { start: segment.start, end: segment.end };
  return { start, end: compact.places[at + wrong.length - 1] + 1 };
}
