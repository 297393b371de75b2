import type { Span } from './types';

const closers: Record<string, string> = { '\\(': '\\)', '\\[': '\\]', $$: '$$' };

/**
 * The stretches of LaTeX mathematics in a text, in order and without overlap: \( \), \[ \], $$ $$ and $ $.
 *
 * A single dollar is mathematics only by Pandoc's rule (User's Guide, `tex_math_dollars`): something other than a space right
 * after the opening one, something other than a space right before the closing one and no digit right after it, so that
 * "$5 and $6" stays money. An escaped dollar is money too. A span that is never closed is not one. Linear in the text's length.
 */
export function latexSpans(text: string): Span[] {
  const spans: Span[] = [];
  const hopeless = new Set<string>();
  let singleClosers: number[] | undefined;
  let nextSingle = 0;
  for (const match of text.matchAll(/\\[\s\S]|\$\$?/g)) {
    const start = match.index;
    if (start < (spans.at(-1)?.end ?? 0)) continue;
    const opener = match[0];
    if (opener in closers && !hopeless.has(opener)) {
      const close = text.indexOf(closers[opener], start + 2);
      if (close >= 0) spans.push({ start, end: close + 2 });
      else hopeless.add(opener);
    } else if (opener === '$' && /[^\s$]/.test(text[start + 1] ?? ' ')) {
      singleClosers ??= findSingleClosers(text);
      while (singleClosers[nextSingle] <= start) nextSingle++;
      const close = singleClosers[nextSingle];
      if (close !== undefined && !text.slice(start, Math.min(close, start + maxInline)).includes('\n\n')) {
        if (close - start < maxInline) spans.push({ start, end: close + 1 });
      }
    }
  }
  return spans;
}

/** Longest mathematics between single dollars, in code units: beyond it two dollars are more likely prices. */
const maxInline = 300;

function findSingleClosers(text: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf('$', 1); at >= 0; at = text.indexOf('$', at + 1)) {
    if (/[^\s\\$]/.test(text[at - 1]) && !/[\d$]/.test(text[at + 1] ?? ' ')) places.push(at);
  }
  return places;
}
