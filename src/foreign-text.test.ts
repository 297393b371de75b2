import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inert, inertLine, visible, visibleJson } from './foreign-text';

/** Characters with effects, and pieces of syntax that VS Code and terminals interpret, among any others. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        ...['[a](command:x)', '[a](https://x "t")', '](', '$(bug)', '\\$(bug~spin)', '$', '(', '[', ']'],
        ...['\u001b[2J', '\u001b]52;c;eA==\u0007', '\u009b31m', '\u202e', '\u2066', '\u2028', '\ud800', '\ufeff', '\0'],
        ...['\r\n', '\r', '\n', '\t', '\u200d'],
      ),
    ),
  )
  .map((parts) => parts.join(''));

/** vs/base/common/linkedText.ts, vs/base/browser/ui/iconLabel/iconLabels.ts of VS Code. */
const link = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
const icon = /(\\)?\$\([A-Za-z0-9-]+(?:~[A-Za-z]+)?\)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const acting = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

describe('text from elsewhere', () => {
  it('has no control, no mark of direction and no half character left', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const shown of [visible(text), inert(text), inertLine(text)]) {
          expect(shown).not.toMatch(acting);
          expect(shown.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  it('offers no link and no icon, alone or within another text', () => {
    fc.assert(
      fc.property(hostile, hostile, (a, b) => {
        for (const shown of [inert(`${a}${b}`), inertLine(`${a} failed: ${b}`)]) {
          expect(shown).not.toMatch(link);
          expect(shown).not.toMatch(icon);
        }
        expect(inertLine(a)).not.toContain('\n');
      }),
    );
  });

  it('is unchanged by a second pass', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const pass of [visible, inert, inertLine]) expect(pass(pass(text))).toBe(pass(text));
      }),
    );
  });

  it.each([
    'What is 2 + 3? Step 1: (2 + 3) * 4 = 20 [sic].',
    'Zweiundvierzig Äpfel, 四十二, 42 ٤٢, می‌خواهم, 👩‍👧‍👦, a–b “c” …',
    'x = \\frac{1}{2}, $5 (five dollars), f(x)[0], C:\\Users\\me, ~/runs, <b> & `code`',
  ])('is unchanged if it has no effect: %s', (text) => {
    for (const pass of [visible, inert, inertLine]) expect(pass(text)).toBe(text);
  });

  it('reads naturally after it', () => {
    expect(inert('[Repair](command:x) $(bug)')).toBe('[Repair] (command:x) $ (bug)');
    expect(inertLine('a\r\nb\tc')).toBe('a b c');
    expect(visible('a\u001b[2Jb\r\nc\rd')).toBe('aU+001B[2Jb\ncU+000Dd');
  });

  it('as JSON is the same value', () => {
    fc.assert(
      fc.property(fc.dictionary(hostile, hostile), (value) => {
        const json = visibleJson(value);
        expect(JSON.parse(json)).toEqual(value);
        expect(json).not.toMatch(acting);
      }),
    );
  });
});
