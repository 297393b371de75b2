/** One chain as the page shows it: tokens, parts, errors, and measurements at each token. */

import { sameAnswer } from '../../answers/equal';
import { extractAnswer } from '../../answers/extract';
import { checkEquations } from '../../arithmetic/calculator';
import { type FirstFault, firstFault } from '../../cases/first-fault';
import type { TextTokenizer, TokenizedText } from '../../cases/text-tokenizer';
import type { Chain, Span } from '../../chain/types';
import type { ChainFinding, ChainView } from '../../protocol/chain-diff';
import type { Origin } from '../../protocol/chain-diff-requests';
import { firstIndex } from '../../sorted';
import { sentence } from '../../words';
import { segmentText, sentenceStarts } from './segments';

/** A chain as recorded: with tokens, or as text only. */
export interface RecordedChain {
  role: ChainView['role'];
  label: string;
  origin: Origin;
  text: string;
  /** As sampled; the end token, if it was sampled, is last. */
  tokens?: TokenizedText & { ended: boolean };
  /** As recorded, without the end token. */
  length?: number;
  finished: boolean;
  facts?: Pick<ChainView, 'logProbs' | 'refLogProbs' | 'entropy' | 'reward'>;
  absent: ChainView['absent'];
  /** The step, from 0, that a person marked as the first wrong one. */
  marked?: number;
}

export interface ProblemReference {
  /** The reference answer; empty where none is known. */
  answer: string;
  question?: string;
  /** The teacher's chain, used to find where others depart from it. */
  teacher?: Chain;
  /** Length of the teacher's chain in tokens. */
  teacherLength?: number;
}

export function viewChain(chain: RecordedChain, reference: ProblemReference, tokenizer: TextTokenizer): ChainView {
  const tokens = chain.tokens ?? { ...tokenizer.tokenize(chain.text), ended: false };
  const length = tokens.ids.length - (tokens.ended ? 1 : 0);
  // Positions refer to the joined tokens: a tokenizer that normalizes does not reproduce the text exactly.
  const text = tokens.texts.slice(0, length).join('');
  const parts = segmentText(text);
  const rangeOf = tokenRangeFinder(tokens.texts.slice(0, length));
  const answer = extractAnswer(text, 'strict');
  const known = reference.answer !== '';
  const correct = known ? answer !== null && sameAnswer(answer.value, reference.answer) && chain.finished : null;
  const segments = parts.segments.map((segment) => ({
    kind: segment.kind,
    ...(segment.step !== undefined && { number: segment.step + 1 }),
    ...rangeOf(segment),
    cuts: sentenceStarts(text, segment).map((start) => rangeOf({ start, end: segment.end }).from),
  }));
  if (tokens.ended) segments[segments.length - 1].to = tokens.ids.length;
  return {
    role: chain.role,
    label: chain.label,
    origin: chain.origin,
    ids: tokens.ids,
    texts: tokens.texts,
    ended: tokens.ended,
    length: chain.length ?? length,
    lengthIsRecorded: chain.length !== undefined && chain.length !== length,
    answer: answer?.value ?? null,
    correct,
    finished: chain.finished,
    segments,
    ...faultOf({ ...parts, rangeOf }, chain, correct, reference),
    ...chain.facts,
    absent: chain.absent,
    findings: findingsOf(
      { text, length, rangeOf },
      answer && correct !== null ? { ...answer, correct } : null,
      reference,
    ),
  };
}

/**
 * Token ranges of text ranges. A token belongs to the range of its last character: ".\n" ends a step, " We" begins one.
 */
function tokenRangeFinder(texts: string[]): (span: Span) => { from: number; to: number } {
  const ends: number[] = [];
  let end = 0;
  for (const text of texts) {
    end += text.length;
    ends.push(end);
  }
  const indexOf = (place: number) => firstIndex(ends.length, (i) => ends[i] > place);
  return ({ start, end }) => {
    const from = indexOf(start);
    return { from, to: end <= start ? from : Math.max(from, indexOf(end)) };
  };
}

interface Ranged {
  rangeOf: ReturnType<typeof tokenRangeFinder>;
}

function faultOf(
  { rangeOf, ...parts }: ReturnType<typeof segmentText> & Ranged,
  { role, marked }: RecordedChain,
  correct: boolean | null,
  { answer, question, teacher }: ProblemReference,
): Pick<ChainView, 'fault'> {
  // A right answer may follow another path than the teacher's, but a false equation is always an error.
  const against = correct || role === 'teacher' ? undefined : (teacher ?? (answer || undefined));
  const fault = firstFault(parts, { marked, against, question });
  const segment = parts.segments.findIndex(({ step }) => fault && step === fault.step);
  if (!fault || segment < 0) return {};
  const { by, reason } = fault;
  const { from, to } = rangeOf(by === 'person' ? parts.segments[segment] : fault);
  return {
    fault: { segment, from, to: Math.max(to, from + 1), sentence: sentenceOf(by, reason), guess: by === 'guess' },
  };
}

function sentenceOf(by: FirstFault['by'], reason: string): string {
  if (by === 'person') return 'First wrong step, marked by hand.';
  return by === 'guess' ? sentence(reason) : `First wrong step: ${reason}.`;
}

/** The parts that rewards look at: equations, the answer, the tokens beyond the teacher's length. */
function findingsOf(
  { text, length, rangeOf }: { text: string; length: number } & Ranged,
  answer: (Span & { value: string; correct: boolean }) | null,
  reference: ProblemReference,
): ChainFinding[] {
  const findings: ChainFinding[] = checkEquations(text).map(({ start, end, left, stated, actual, correct }) => ({
    kind: correct ? 'right' : 'wrong',
    ...rangeOf({ start, end }),
    text: correct ? `${left} = ${stated} is true` : `${left} is ${actual}, not ${stated}`,
  }));
  if (answer)
    findings.push({
      kind: answer.correct ? 'right' : 'wrong',
      ...rangeOf(answer),
      text: answer.correct
        ? `the answer ${answer.value} is right`
        : `the answer is ${reference.answer}, not ${answer.value}`,
    });
  const { teacherLength } = reference;
  if (teacherLength !== undefined && length > teacherLength)
    findings.push({
      kind: 'costly',
      from: teacherLength,
      to: length,
      text: `beyond the ${teacherLength} tokens of the teacher’s chain`,
    });
  return findings
    .filter(({ from, to }) => to > from)
    .map((finding) => ({ ...finding, text: finding.text.slice(0, 500) }));
}
