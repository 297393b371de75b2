/** Text from files as Markdown that shows it as it is: no links, no images, no formatting, nothing hidden. */

/** Characters that turn the direction of text around them, and controls: shown as their code instead of being obeyed. */
const unseen = /(?![\n\t])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

export function plain(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(unseen, (char) => `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`)
    .replace(/[\\`*_{}[\]()#+\-.!~|<>&$:@]/g, (char) => `&#${char.charCodeAt(0)};`)
    .replace(/\n/g, '  \n');
}

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? ':--' : '--:'))), ...rows.map(line)].join('\n');
}
