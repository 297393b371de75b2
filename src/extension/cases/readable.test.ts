import { expect, it } from 'vitest';
import { readable } from './readable';

/** The text as it is shown. */
function shown(text: string, start = 0): string {
  let [out, at] = ['', 0];
  for (const one of readable(text, [{ start, end: text.length }]).replacements) {
    expect(one.start).toBeGreaterThanOrEqual(at); // no two overlap
    out += text.slice(at, one.start) + one.shown;
    at = one.end;
  }
  return out + text.slice(at);
}

it.each([
  ['\\[ \\frac{20\\ \\text{minutes}}{3} = 6.67 \\]', ' (20 minutes)/3 = 6.67 '],
  ['\\(5 \\times 3^{2} \\le 20\\%\\) costs $5 and $6', '5 × 3² ≤ 20% costs $5 and $6'],
  ['$x_1 \\cdot \\frac12$ $$\\boxed{42}$$', 'x₁ · ¹⁄₂ [42]'],
  ['\\(\\dfrac{\\sqrt{2}}{a + b}\\)', '(√2)/(a + b)'],
  ['\\(\\foo{x}\\{1\\}\\)', '\\foo{x}{1}'],
  ['\\[\n\\begin{aligned}\na &= \\left(2\\right) \\\\\n\\end{aligned}\n\\]', '\n\na = (2) \n\n'],
  ['\\begin{align*}\na &= 2 \\\\\n\\end{align*} so', '\na = 2 \n so'],
  ['}} \\( }{ \\) \\(\\frac{1\\)', '}}    (1'],
])('a formula on one line of signs: %s', (written, read) => expect(shown(written)).toBe(read));

it('shows Markdown without its markers, and bold text as bold', () => {
  const text = '### The **sum**\n- 2 * 3 = 6\n* **Total:** \\(6\\)';
  expect(shown(text)).toBe('The **sum**\n• 2 * 3 = 6\n• Total: 6');
  const { bold } = readable(text, [{ start: 0, end: text.length }]);
  expect(bold.map(({ start, end }) => text.slice(start, end))).toEqual(['The **sum**', 'Total:']);
});

it('does not change text outside of the bodies', () => {
  expect(shown('## Case **1**\n**2**', 14)).toBe('## Case **1**\n2');
});

it('shows no text of a model in replacements', () => {
  const { replacements } = readable('\\(\\evil{"} \\text{a} \\sqrt{b}\\) **c**', [{ start: 0, end: 36 }]);
  expect(replacements.map(({ shown }) => shown).join('')).not.toMatch(/[a-z"]/);
});
