/** The parts of a chain as stretches of its text. */
import { splitSentences } from '../../chain/sentences';
import { type PlacedChain, placeChain } from '../../chain/split';
import type { Span } from '../../chain/types';

interface TextSegment extends Span {
  kind: 'thinking' | 'step' | 'answer';
  /** Index among the chain's steps. */
  step?: number;
}

export interface SegmentedText extends PlacedChain {
  /** In order and without gaps: together they are the text. */
  segments: TextSegment[];
}

/** Never throws; a text without steps is one segment. */
export function segmentText(text: string): SegmentedText {
  const placed = placeChain(text);
  const starts: Omit<TextSegment, 'end'>[] = placed.steps.map(({ mark }, step) => ({
    kind: 'step',
    step,
    start: mark,
  }));
  if (placed.answer !== undefined) starts.push({ kind: 'answer', start: placed.answer });
  const [first] = starts;
  if (!first || text.slice(0, first.start).trim() !== '') starts.unshift({ kind: 'thinking', start: 0 });
  else first.start = 0;
  return { ...placed, segments: starts.map((one, i) => ({ ...one, end: starts[i + 1]?.start ?? text.length })) };
}

/** Where the sentences of a segment begin, except the first. */
export function sentenceStarts(text: string, { start, end }: Span): number[] {
  return splitSentences(text.slice(start, end))
    .slice(1)
    .map((sentence) => start + sentence.start);
}
