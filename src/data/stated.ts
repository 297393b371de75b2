import { extractAnswer } from '../answers/extract';

/**
 * The answer that a solution of a dataset states: after a mark, else the bold value or the only number of its last
 * sentence. Null if there is none: with several numbers in the last sentence, none is guessed.
 */
export function statedAnswer(text: string): string | null {
  const marked = extractAnswer(text, 'strict');
  if (marked) return marked.value;
  const found = extractAnswer(text, 'lenient');
  if (!found || found.kind === 'bold') return found?.value ?? null;
  const last = text
    .trimEnd()
    .split(/(?<=[.!?])\s+|\n/)
    .at(-1)!;
  const result = last.slice(last.lastIndexOf('=') + 1);
  return result.match(/\d+(?:[.,:/]\d+)*/g)?.length === 1 ? found.value : null;
}

/** A text of several sentences or lines. */
export const isWorked = (text: string) => text.length > 40 && /[.!?]\s+\S|\n\s*\S/.test(text.trim());
