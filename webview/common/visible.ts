/** Characters with effects instead of glyphs: control, bidirectional, zero-width. They are shown as marks. */
import { element } from './dom';

export interface TextRun {
  text: string;
  /** The name of the character if `text` is a mark: "U+202E right-to-left override". */
  hidden?: string;
}

const names: Record<string, string> = {
  '\u0000': 'null',
  '\u0007': 'bell',
  '\u0008': 'backspace',
  '\u001b': 'escape',
  '\u00ad': 'soft hyphen',
  '\u061c': 'Arabic letter mark',
  '\u200b': 'zero-width space',
  '\u200c': 'zero-width non-joiner',
  '\u200d': 'zero-width joiner',
  '\u200e': 'left-to-right mark',
  '\u200f': 'right-to-left mark',
  '\u2028': 'line separator',
  '\u2029': 'paragraph separator',
  '\u202a': 'left-to-right embedding',
  '\u202b': 'right-to-left embedding',
  '\u202c': 'pop directional formatting',
  '\u202d': 'left-to-right override',
  '\u202e': 'right-to-left override',
  '\u2060': 'word joiner',
  '\u2066': 'left-to-right isolate',
  '\u2067': 'right-to-left isolate',
  '\u2068': 'first strong isolate',
  '\u2069': 'pop directional isolate',
  '\ufeff': 'byte-order mark',
  '\ufffd': 'replacement character',
};

// Tab, newline and carriage return are allowed: the page shows them by its own rules. U+E0000-E007F are invisible tags.
// With the flag `u`, surrogates match only if unpaired.
const hiddenCharacter =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|[\ud800-\udfff]/u;

/** Splits a text into unchanged runs, and marks in place of invisible characters. Marks never reorder the text. */
export function visibleRuns(text: string): TextRun[] {
  if (!hiddenCharacter.test(text)) return text === '' ? [] : [{ text }];
  const runs: TextRun[] = [];
  for (const character of text) {
    if (hiddenCharacter.test(character)) {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      runs.push({ text: markOf(character, code), hidden: `U+${code} ${names[character] ?? 'control character'}` });
    } else if (runs.length > 0 && runs.at(-1)!.hidden === undefined) runs.at(-1)!.text += character;
    else runs.push({ text: character });
  }
  return runs;
}

/** C0 controls have pictures of their own in Unicode (U+2400 on). */
function markOf(character: string, code: string): string {
  const point = character.codePointAt(0)!;
  if (point < 0x20) return String.fromCodePoint(0x2400 + point);
  return point === 0x7f ? '\u2421' : `⟨${code}⟩`;
}

/** The same as nodes; marks have the class `hidden-character` and their name as tooltip. */
export function visibleNodes(text: string): Node[] {
  return visibleRuns(text).map(({ text, hidden }) =>
    hidden === undefined
      ? document.createTextNode(text)
      : element('span', { class: 'hidden-character', title: hidden, role: 'img', 'aria-label': hidden }, text),
  );
}
