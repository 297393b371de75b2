/** Ranges in a page of the tokens that the student was unsure of. Pure. */
import { blockOf, bodyOf } from './page';

export interface SampledText {
  text: string;
  tokenTexts: readonly string[];
  logProbs: readonly number[];
}

export interface ProbabilityMark {
  line: number;
  start: number;
  end: number;
  /** Between 0 and 1. */
  probability: number;
}

/** Tokens with a lower probability are marked. */
const lowProbability = 0.5;

/** Marks for the answers with this number. An answer that was edited since gets none. */
export function probabilityMarks(page: string, number: number, answers: readonly SampledText[]): ProbabilityMark[] {
  const block = blockOf(page, number);
  if (!block) return [];
  const lines = page.split(/\r?\n/).slice(block.from, block.to);
  const headings = lines.flatMap((line, i) => (/^## (Answer|Sample \d)/.test(line) ? [i] : []));
  return answers.flatMap((answer, i) => {
    const first = headings[i] + 1;
    const body = lines.slice(first, first + bodyOf(answer).split('\n').length);
    // Token positions hold only for text that was not edited.
    if (headings[i] === undefined || body.join('\n') !== answer.text) return [];
    return marksIn(answer, block.from + first);
  });
}

function marksIn({ text, tokenTexts, logProbs }: SampledText, firstLine: number): ProbabilityMark[] {
  const found: ProbabilityMark[] = [];
  let line = firstLine;
  let start = 0;
  let offset = 0;
  for (const [i, token] of tokenTexts.entries()) {
    if (text.slice(offset, offset + token.length) !== token) break; // the end token, or part of a character
    offset += token.length;
    for (const [part, piece] of token.split('\n').entries()) {
      if (part > 0) [line, start] = [line + 1, 0];
      const at = piece.length - piece.trimStart().length;
      const probability = Math.exp(logProbs[i]);
      if (piece.trim() !== '' && probability < lowProbability)
        found.push({ line, start: start + at, end: start + piece.trimEnd().length, probability });
      start += piece.length;
    }
  }
  return found;
}
