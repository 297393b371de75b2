/**
 * Text from elsewhere: models, datasets, servers, files, folder names, messages of libraries. It passes through one of
 * these functions on its way to the editor (`src/extension/vscode`, the only files that import its API) and to the
 * terminal (`src/cli/terminal/terminal.ts`). Pages insert it as text nodes.
 */

/**
 * Characters with effects instead of glyphs: controls (including the escape that begins terminal commands, and C1),
 * marks that change the text direction, line separators, lone surrogates. Joiners stay, as Persian, Hindi and emoji
 * need them.
 */
const controlCharacters = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

const codeOf = (char: string) => `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;

/** The text with invisible characters replaced by their codes, such as `U+001B`. Lines end with `\n`; tabs stay. */
export function visible(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(controlCharacters, codeOf);
}

/**
 * The text for places where VS Code parses links and icons: in notifications and input boxes `[text](command:...)` runs
 * a command, and in lists, lenses and the status bar `$(name)` is an icon. An inserted space disables them.
 */
export function inert(text: string): string {
  return visible(text).replace(/\](?=\()|\$(?=\()/g, '$& ');
}

/** The same on one line. */
export const inertLine = (text: string): string => inert(text).replace(/[\n\t]+/g, ' ');

/** A fence of backticks for a block of Markdown that the text cannot close. */
export function fenceAround(text: string): string {
  let longest = 2;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return '`'.repeat(longest + 1);
}

/** JSON of a value for a terminal, with invisible characters escaped in JSON's own notation. */
export function visibleJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(controlCharacters, (char) =>
    Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}
