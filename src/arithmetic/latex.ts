import type { Span } from '../answers/span';

const closers: Record<string, string> = { '\\(': '\\)', '\\[': '\\]', $$: '$$' };

/**
 * The ranges of LaTeX mathematics in a text, in order and without overlap: \( \), \[ \], $$ $$, $ $, and environments
 * such as \begin{align} \end{align}.
 *
 * A single dollar sign delimits mathematics only by Pandoc's rule (User's Guide, `tex_math_dollars`): no space after
 * the opening one, no space before the closing one and no digit after it, so that "$5 and $6" stays money, and no third
 * one between them. An escaped dollar sign is money too. An unclosed range does not count. Linear in the length of the
 * text.
 */
export function latexSpans(text: string): Span[] {
  const spans: Span[] = [];
  const unclosed = new Set<string>();
  let end = 0;
  for (const match of text.matchAll(/\\[\s\S]|\$\$?/g)) {
    const start = match.index;
    if (start < end) continue;
    const opener = match[0];
    if (opener in closers && !unclosed.has(opener)) {
      const close = text.indexOf(closers[opener], start + 2);
      if (close < 0) unclosed.add(opener);
      else end = close + 2;
    } else if (opener === '\\b') {
      const name = /^\\begin(\{[a-z]{1,20}\*?\})/.exec(text.slice(start, start + 40))?.[1];
      const closer = `\\end${name}`;
      if (name === undefined || unclosed.has(closer)) continue;
      const close = text.indexOf(closer, start);
      if (close < 0) unclosed.add(closer);
      else end = close + closer.length;
    } else if (opener === '$') {
      const inline = /^\$(?=\S)(?:[^$\\\n]|\\[^\n]|\n(?!\n)){1,300}(?<=\S)\$(?!\d)/.exec(
        text.slice(start, start + 302),
      )?.[0];
      end = start + (inline?.length ?? 0);
    }
    if (end > start) spans.push({ start, end });
  }
  return spans;
}
