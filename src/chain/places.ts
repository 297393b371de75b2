import type { Span } from './types';

/**
 * Where the steps of a chain stand in the text that it was split from, in order; null for a step that is not found.
 * Splitting trims steps, and joins sentences, so white space may differ.
 */
export function placeSteps(text: string, steps: readonly string[]): (Span | null)[] {
  let from = 0;
  return steps.map((step) => {
    const found = find(text, step, from);
    if (found) from = found.end;
    return found;
  });
}

function find(text: string, step: string, from: number): Span | null {
  const start = text.indexOf(step, from);
  if (start >= 0) return { start, end: start + step.length };
  const loose = step
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('\\s+');
  const match = new RegExp(loose).exec(text.slice(from));
  return match && { start: from + match.index, end: from + match.index + match[0].length };
}
