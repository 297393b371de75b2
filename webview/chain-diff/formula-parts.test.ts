import { expect, it } from 'vitest';
import { hasFormulas, splitFormulas } from './formula-parts';

const kinds = (text: string) => splitFormulas(text).map(({ kind, text: part }) => `${kind}: ${part}`);

it('finds formulas by all their marks, and a little Markdown', () => {
  expect(kinds('so \\( x^2 \\) and \\[ \\frac{1}{2} \\] or $y$, $$z$$.')).toEqual([
    ...['text: so ', 'math:  x^2 ', 'text:  and ', 'display:  \\frac{1}{2} ', 'text:  or ', 'math: y', 'text: , '],
    ...['display: z', 'text: .'],
  ]);
  expect(kinds('**Step 1** uses `a`')).toEqual(['bold: Step 1', 'text:  uses ', 'code: a']);
});

it('does not read money as a formula', () => {
  expect(kinds('It costs $5 and $6, or US$7 and 8$.')).toEqual(['text: It costs $5 and $6, or US$7 and 8$.']);
  expect(hasFormulas('It costs $5 and $6.')).toBe(false);
  expect(hasFormulas('\\[ x \\]')).toBe(true);
});
