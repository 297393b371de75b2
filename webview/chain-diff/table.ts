/** The table of aligned rows. Only visible rows are in the document; the keyboard reaches all of them. */
import type { ChainView } from '../../src/protocol/chain-diff';
import { element } from '../common/dom';
import { explainParts } from '../common/explain';
import { type CellOptions, cellContent, inlineContent } from './cell';
import { explainToken } from './facts';
import { Heights } from './heights';
import type { DiffRow } from './rows';
import type { Match } from './search';
import { differencesInWords } from './token-diff';

export interface TableModel {
  unit: 'tokens' | 'words';
  chains: readonly ChainView[];
  rows: readonly DiffRow[];
  /** Columns of the two chains shown as one text, or null for columns mode. */
  inline: [number, number] | null;
  options: Omit<CellOptions, 'matches'> & { matches: readonly Match[] };
}

export interface CellPlace {
  row: number;
  column: number;
}

/**
 * Rows are laid out this many pixels beyond the visible range, for scrolling; they are drawn after the visible ones.
 */
const overscanPixels = 300;

export class DiffTable {
  /** Scrolls; contains the headers (given) and the rows. */
  readonly root = element('div', {
    class: 'table',
    role: 'grid',
    'aria-label': 'Chains, aligned step by step',
    tabindex: -1,
  });
  private readonly above = element('div', { class: 'spacer', role: 'presentation' });
  private readonly body = element('div', { class: 'rows', role: 'rowgroup' });
  private readonly below = element('div', { class: 'spacer', role: 'presentation' });
  private model: TableModel = {
    unit: 'tokens',
    chains: [],
    rows: [],
    inline: null,
    options: { overlay: 'diff', rendered: false, matches: [], current: null },
  };
  /** Rows as displayed: one line for a folded group. */
  private lines: { row: number; folded: boolean }[] = [];
  private heights = new Heights([]);
  private readonly folded = new Set<number>();
  private made = new Map<number, HTMLElement>();
  private width = 0;
  focus: CellPlace = { row: 0, column: 0 };

  constructor(private readonly head: HTMLElement) {
    this.root.append(this.head, this.above, this.body, this.below);
    this.root.addEventListener('scroll', () => this.layOut(), { passive: true });
    new ResizeObserver(() => {
      if (this.root.clientWidth === this.width) return;
      this.width = this.root.clientWidth;
      this.reset();
    }).observe(this.root);
    this.body.addEventListener('focusin', ({ target }) => {
      const place = cellAt(target);
      if (place) this.setFocus(place);
    });
    explainParts(this.body, '[data-token]', (token) =>
      explainToken(this.model.chains[chainOf(token)!], Number(token.getAttribute('data-token'))),
    );
    this.body.addEventListener('click', ({ target }) => {
      const button = target instanceof Element ? target.closest('[data-fold]') : null;
      if (button) this.fold(Number(button.getAttribute('data-fold')));
    });
  }

  /** Shows other chains, or the same ones in another way. `keep` preserves folds, focus and scroll position. */
  show(model: TableModel, keep: boolean): void {
    this.model = model;
    if (!keep) {
      this.folded.clear();
      for (const group of longAsides(model.rows)) this.folded.add(group);
      this.focus = { row: 0, column: 0 };
      this.root.scrollTop = 0;
    }
    this.focus.column = Math.min(this.focus.column, this.columns - 1);
    this.root.setAttribute('aria-colcount', String(this.columns + 1));
    this.reset();
  }

  /** Columns in the document; inline mode has one. */
  get columns(): number {
    return this.model.inline ? 1 : Math.max(1, this.model.chains.length);
  }

  get groups(): number[] {
    return [...new Set(this.model.rows.map(({ group }) => group))];
  }

  fold(group: number, folded = !this.folded.has(group)): void {
    if (folded) this.folded.add(group);
    else this.folded.delete(group);
    this.reset();
  }

  foldAll(): void {
    const all = this.folded.size < this.groups.length;
    this.folded.clear();
    if (all) for (const group of this.groups) this.folded.add(group);
    this.reset();
  }

  /** Focuses a cell and scrolls to it. Unfolds what hides it. */
  go({ row, column }: CellPlace, focus = true): void {
    const { rows } = this.model;
    if (rows.length === 0) return;
    const to = {
      row: Math.max(0, Math.min(row, rows.length - 1)),
      column: Math.max(0, Math.min(column, this.columns - 1)),
    };
    const line = Math.max(0, this.lineOf(to.row));
    const top = this.heights.top(line);
    const height = this.heights.top(line + 1) - top;
    const available = this.root.clientHeight - this.head.offsetHeight;
    const at = this.root.scrollTop;
    if (top < at || height > available) this.root.scrollTop = top;
    else if (top + height > at + available) this.root.scrollTop = top + height - available;
    this.setFocus(to);
    this.layOut();
    const cell = this.cellAt(to);
    if (!cell || !focus) return;
    cell.focus({ preventScroll: true });
    cell.scrollIntoView({ block: 'nearest' });
  }

  /** The line of a row: its own, or that of its folded group. */
  private lineOf(row: number): number {
    const { group } = this.model.rows[row];
    return this.lines.findIndex(
      (line) => line.row === row || (line.folded && this.model.rows[line.row].group === group),
    );
  }

  /** Rows reached by the keyboard: one for a folded group. */
  step(by: number): void {
    const line = Math.max(0, Math.min(this.lines.length - 1, this.lineOf(this.focus.row) + by));
    if (this.lines[line]) this.go({ row: this.lines[line].row, column: this.focus.column });
  }

  isFolded(row: number): boolean {
    return this.folded.has(this.model.rows[row].group);
  }

  cellAt({ row, column }: CellPlace): HTMLElement | null {
    return this.body.querySelector(`[data-row="${row}"][data-column="${column}"]`);
  }

  private setFocus(place: CellPlace): void {
    this.cellAt(this.focus)?.setAttribute('tabindex', '-1');
    this.focus = place;
    this.cellAt(place)?.setAttribute('tabindex', '0');
  }

  /** Drops all rows, creates the visible ones, and the margin in the next frame. */
  reset(): void {
    const { rows, inline } = this.model;
    this.lines = rows.flatMap(({ group, cells }, row): typeof this.lines => {
      if (inline?.every((column) => cells[column] === null)) return [];
      if (!this.folded.has(group)) return [{ row, folded: false }];
      return rows[row - 1]?.group === group ? [] : [{ row, folded: true }];
    });
    this.root.setAttribute('aria-rowcount', String(this.lines.length + 1));
    const top = this.root.scrollTop;
    this.heights = new Heights(this.estimates());
    for (const made of this.made.values()) made.remove();
    this.made.clear();
    this.layOut(0);
    this.root.scrollTop = top;
    requestAnimationFrame(() => this.layOut());
  }

  /** By the number of characters; the editor's font is monospaced. */
  private estimates(): number[] {
    const { chains, rows, inline } = this.model;
    const lineHeight = Number.parseFloat(getComputedStyle(this.root).getPropertyValue('--row-line')) || 21;
    const perLine = Math.max(20, (this.root.clientWidth / this.columns - 30) / 7.6);
    return this.lines.map(({ row, folded }) => {
      if (folded) return lineHeight + 10;
      const lengths = rows[row].cells.map((cell, c) =>
        cell ? chains[c].texts.slice(cell.from, cell.to).join('').length : 0,
      );
      const characters = inline ? lengths[inline[0]] + lengths[inline[1]] : Math.max(...lengths);
      return Math.max(1, Math.ceil(characters / perLine)) * lineHeight + 10;
    });
  }

  private layOut(margin = overscanPixels): void {
    const available = this.root.clientHeight;
    const { first, end } = this.heights.range(this.root.scrollTop, available, margin);
    for (const [line, made] of this.made) {
      if (line >= first && line < end) continue;
      if (made.contains(document.activeElement)) this.root.focus({ preventScroll: true });
      made.remove();
      this.made.delete(line);
    }
    let next: Node | null = null;
    const fresh: number[] = [];
    for (let line = end - 1; line >= first; line--) {
      let made = this.made.get(line);
      if (!made) {
        made = this.makeRow(line);
        this.made.set(line, made);
        this.body.insertBefore(made, next);
        fresh.push(line);
      }
      next = made;
    }
    this.measure(fresh);
    this.above.style.height = `${this.heights.top(first)}px`;
    this.below.style.height = `${Math.max(0, this.heights.total - this.heights.top(end))}px`;
  }

  /** Measures new rows, and keeps the reader's position stable. */
  private measure(lines: number[]): void {
    if (lines.length === 0) return;
    const anchor = this.heights.rowAt(this.root.scrollTop);
    const before = this.heights.top(anchor);
    const sizes = lines.map((line) => this.made.get(line)!.offsetHeight);
    lines.forEach((line, i) => {
      if (sizes[i] > 0) this.heights.measured(line, sizes[i]);
    });
    const moved = this.heights.top(anchor) - before;
    if (Math.abs(moved) >= 1) this.root.scrollTop += moved;
  }

  private makeRow(line: number): HTMLElement {
    const { chains, rows, inline, options } = this.model;
    const { row, folded } = this.lines[line];
    const { group, kind, cells } = rows[row];
    const leads = rows[row - 1]?.group !== group;
    const wrong = cells.some((cell, c) => cell && hasFault(chains[c], cell, folded));
    const { name, sign } = headOf(rows[row]);
    const made = element(
      'div',
      {
        class: `row ${kind}${leads ? '' : ' continued'}${folded ? ' folded' : ''}`,
        role: 'row',
        'aria-rowindex': line + 2,
      },
      element(
        'div',
        { class: `number${wrong ? ' wrong' : ''}`, role: 'rowheader' },
        leads
          ? element(
              'button',
              { class: 'fold', 'data-fold': group, 'aria-expanded': String(!folded), 'aria-label': name, tabindex: -1 },
              sign,
            )
          : element('span', { class: 'spoken' }, name),
      ),
    );
    const matches = options.matches.filter((match) => match.row === row);
    const place = (column: number, attributes: Record<string, string | undefined>, content: Node[]) => {
      const focused = this.focus.row === row && this.focus.column === column;
      const cell = element('div', {
        role: 'gridcell',
        tabindex: focused ? 0 : -1,
        'data-row': row,
        'data-column': column,
        'aria-colindex': column + 2,
        ...attributes,
        class: `cell ${attributes.class ?? ''}`,
      });
      cell.append(...content);
      made.append(cell);
    };
    if (inline && !folded) {
      const [left, right] = inline;
      const fault = cells[right] && hasFault(chains[right], cells[right], false);
      place(
        0,
        {
          class: fault ? 'wrong' : '',
          'aria-description': differencesInWords(chains, rows[row], right, left),
        },
        inlineContent(chains, rows[row], inline, { ...options, matches }),
      );
      return made;
    }
    chains.forEach((chain, column) => {
      if (inline && column > 0) return;
      const cell = cells[column];
      if (folded) {
        const tokens = rows.filter((one) => one.group === group).flatMap((one) => one.cells[column] ?? []);
        place(column, { class: tokens.length > 0 ? 'summary' : 'gap' }, summary(chain, tokens, this.model.unit));
      } else if (!cell) place(column, { class: 'gap', 'aria-label': `Gap in the ${chain.role} chain` }, []);
      else
        place(
          column,
          {
            class: hasFault(chain, cell, false) ? 'wrong' : '',
            'aria-description': differencesInWords(chains, rows[row], column),
          },
          cellContent(chains, rows[row], column, { ...options, matches }),
        );
    });
    return made;
  }
}

function headOf({ kind, number, led }: DiffRow): { name: string; sign: string | number } {
  if (kind === 'step') return { name: `Step ${number}`, sign: led ? (number ?? '') : '+' };
  return kind === 'answer' ? { name: 'Answer', sign: '=' } : { name: 'Thinking', sign: '…' };
}

/** Thinking that only one chain has, over many rows, starts folded: the reader compares steps. */
function longAsides(rows: readonly DiffRow[]): Set<number> {
  const thinking = rows.filter(({ kind }) => kind === 'thinking');
  const columns = new Set(thinking.flatMap(({ cells }) => cells.flatMap((cell, c) => (cell ? [c] : []))));
  const folds =
    thinking.length > 6 && columns.size === 1 && thinking[0].cells.length > 1 && rows.length > thinking.length;
  return new Set(folds ? [thinking[0].group] : []);
}

function hasFault(
  { fault }: ChainView,
  { segment, from, to }: { segment: number; from: number; to: number },
  anywhere: boolean,
): boolean {
  return fault !== undefined && fault.segment === segment && (anywhere || (fault.from >= from && fault.from < to));
}

function summary({ texts }: ChainView, cells: { from: number; to: number }[], unit: string): Node[] {
  if (cells.length === 0) return [];
  const tokens = cells.reduce((sum, { from, to }) => sum + to - from, 0);
  const text = cells
    .map(({ from, to }) => texts.slice(from, to).join(''))
    .join('')
    .trim()
    .replace(/\s+/g, ' ');
  return [
    element('span', { class: 'summary-text' }, text.slice(0, 300)),
    element('span', { class: 'dim summary-count' }, `${tokens} ${unit}`),
  ];
}

/** The chain of a token or a cell. */
export function chainOf(target: Element): number | null {
  const of = target.closest('[data-of], [data-column]');
  const name = of?.getAttribute('data-of') ?? of?.getAttribute('data-column');
  return name === null || name === undefined ? null : Number(name);
}

function cellAt(target: EventTarget | null): CellPlace | null {
  const cell = target instanceof Element ? target.closest('[data-row]') : null;
  return cell ? { row: Number(cell.getAttribute('data-row')), column: Number(cell.getAttribute('data-column')) } : null;
}
