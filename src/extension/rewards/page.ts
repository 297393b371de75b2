/** A text with ranges that are coloured, that link to something, or that are headings. */

/** `rise` and `fall` are also marked in the text, so that colour is not the only cue. */
export type Tone = 'rise' | 'fall' | 'dim' | 'strong';

/** A range in a line, in UTF-16 units. */
interface LineRange {
  line: number;
  start: number;
  end: number;
}

/** A recorded completion. */
export interface Target {
  problemId: string;
  stage: string;
  step: number;
  sample: number;
}

export interface PageText {
  lines: readonly string[];
  tones: readonly (LineRange & { tone: Tone })[];
  links: readonly (LineRange & { target: Target })[];
  /** Heading lines; a section ends before the next heading. */
  heads: readonly number[];
}

export class ScorePage {
  private readonly lines: string[] = [];
  private readonly tones: (LineRange & { tone: Tone })[] = [];
  private readonly links: (LineRange & { target: Target })[] = [];
  private readonly heads: number[] = [];

  line(text = '', tone?: Tone): void {
    const line = this.lines.push(text) - 1;
    const start = text.length - text.trimStart().length;
    if (tone) this.tones.push({ line, start, end: text.length, tone });
  }

  head(text: string): void {
    this.heads.push(this.lines.length);
    this.line(text, 'strong');
  }

  /** `before` has the tone, `name` links to the target. */
  linked([before, name, after]: [string, string, string], target: Target, tone?: Tone): void {
    const line = this.lines.push(before + name + after) - 1;
    const start = before.length - before.trimStart().length;
    const end = before.length + name.length;
    if (tone && start < before.length) this.tones.push({ line, start, end: before.length, tone });
    this.links.push({ line, start: before.length, end, target });
  }

  /** Columns, the first left-aligned, the others right-aligned. */
  table(head: readonly string[], rows: readonly { cells: readonly string[]; tone?: Tone }[]): void {
    const widths = head.map((title, i) => Math.max(title.length, ...rows.map(({ cells }) => cells[i].length)));
    const write = (cells: readonly string[]) => {
      const padded = cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
      return `  ${padded.join('   ')}`.trimEnd();
    };
    this.line(write(head), 'dim');
    for (const { cells, tone } of rows) this.line(write(cells), tone);
  }

  text(): PageText {
    const { lines, tones, links, heads } = this;
    return { lines, tones, links, heads };
  }
}
