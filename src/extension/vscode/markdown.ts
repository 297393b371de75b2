/** Markdown in which every value appears literally: no links, no images, no formatting, nothing hidden. */
import { fenceAround, visible } from '../../foreign-text';

export class Markdown {
  /** Only the functions below make Markdown. `commands`: those that its links may run. */
  private constructor(
    readonly text: string,
    readonly commands: readonly string[] = [],
  ) {}

  /** The literal parts of the template are Markdown; values are escaped, unless they are Markdown themselves. */
  static of(between: readonly string[], values: readonly MarkdownValue[]): Markdown {
    const parts = values.map((value) => (value instanceof Markdown ? value : new Markdown(escaped(String(value)))));
    return new Markdown(
      between.map((text, i) => text + (parts[i]?.text ?? '')).join(''),
      parts.flatMap(({ commands }) => commands),
    );
  }

  /** A link that runs a command. */
  static link(label: string, command: string, ...args: unknown[]): Markdown {
    const query = encodeURIComponent(JSON.stringify(args)).replace(
      /[!'()*]/g,
      (char) => `%${char.charCodeAt(0).toString(16)}`,
    );
    return new Markdown(`[${escaped(label)}](command:${command}?${query})`, [command]);
  }

  /** A text as a code block whose fence the text cannot close. */
  static code(text: string, language: string): Markdown {
    const fence = fenceAround(text);
    return new Markdown(`${fence}${language}\n${visible(text)}\n${fence}`);
  }
}

type MarkdownValue = string | number | Markdown;

/** md`**${name}** is ${state}` */
export const md = (between: TemplateStringsArray, ...values: MarkdownValue[]): Markdown => Markdown.of(between, values);

/** Joins paragraphs; empty ones are skipped. */
export const paragraphs = (...all: readonly (MarkdownValue | undefined)[]): Markdown =>
  join(
    all.filter((one): one is MarkdownValue => one !== undefined && one !== ''),
    '\n\n',
  );

/** A table. The first column is left-aligned, the others follow `align`. */
export function table(
  head: readonly MarkdownValue[],
  rows: readonly (readonly MarkdownValue[])[],
  align: 'left' | 'right' = 'right',
): Markdown {
  // Tooltips render columns without space between them.
  const gap = align === 'right' ? '&nbsp;&nbsp; | ' : ' | ';
  const line = (cells: readonly MarkdownValue[]) => md`| ${join(cells.map(inOneLine), gap)} |`;
  const rule = Markdown.of(
    [`| ${head.map((_, i) => (i === 0 || align === 'left' ? ':--' : '--:')).join(' | ')} |`],
    [],
  );
  return join([line(head), rule, ...rows.map(line)], '\n');
}

export const join = (values: readonly MarkdownValue[], separator: string): Markdown =>
  Markdown.of(['', ...values.slice(1).map(() => separator)], values);

const inOneLine = (cell: MarkdownValue) => (typeof cell === 'string' ? cell.replace(/[\r\n]+/g, ' ') : cell);

function escaped(text: string): string {
  return visible(text)
    .replace(/[\\`*_{}[\]()#+\-.!~|<>&$:@]/g, (char) => `&#${char.charCodeAt(0)};`)
    .replace(/\n/g, '  \n');
}
