/**
 * Text that others wrote: models, datasets, servers, files, folder names, messages of libraries. It passes through one
 * of these functions on its way to the editor (`src/extension/vscode`, the only files that import its API) and to the
 * terminal (`src/cli/terminal.ts`). Pages set it as text nodes.
 */

/**
 * Characters that act instead of being seen: controls (the escape that begins a terminal's commands among them, C1
 * too), marks that turn the direction of the text around them, line separators, half surrogates. Joiners stay: Persian,
 * Hindi and emoji are spelled with them.
 */
const unseen = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

const codeOf = (char: string) => `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;

/** The text with what cannot be seen as its code, such as `U+001B`. Lines end with `\n`; tabs stay. */
export function visible(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(unseen, codeOf);
}

/**
 * The text for where VS Code looks for links and icons, on any number of lines: in notifications and input boxes
 * `[text](command:...)` runs a command, and in lists, lenses and the status bar `$(name)` is an icon. A space takes
 * each of them apart.
 */
export function inert(text: string): string {
  return visible(text).replace(/\](?=\()|\$(?=\()/g, '$& ');
}

/** The same in one line. */
export const inertLine = (text: string): string => inert(text).replace(/[\n\t]+/g, ' ');

/** JSON of a value for a terminal: the same value, with what cannot be seen in JSON's own notation. */
export function visibleJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unseen, (char) =>
    Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}
