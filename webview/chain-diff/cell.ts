/** One cell of the table: the tokens of a chain in a row, with differences and measurements marked. */
import type { ChainView } from '../../src/protocol/chain-diff';
import { element } from '../common/dom';
import { explain } from '../common/explain';
import { visibleNodes } from '../common/visible';
import { formattedNodes } from './formulas';
import { levelOf, type Overlay, tokenValue } from './overlays';
import type { DiffCell, DiffRow } from './rows';
import type { Match } from './search';
import { diffCell, diffCells } from './token-diff';

export interface CellOptions {
  overlay: Overlay;
  /** Formulas and Markdown rendered, in place of tokens. */
  rendered: boolean;
  matches: readonly Match[];
  current: Match | null;
}

/** The classes and attributes of a token. */
interface TokenMarkup {
  classes: string[];
  /** Adjacent tokens with the same wrapper are marked as one range. */
  wrapper: 'insertion' | 'deletion' | null;
}

/** The content of a cell in columns mode. */
export function cellContent(chains: readonly ChainView[], row: DiffRow, column: number, options: CellOptions): Node[] {
  const cell = row.cells[column]!;
  const chain = chains[column];
  if (options.rendered) return renderedContent(chain, cell);
  const diff = options.overlay === 'diff' ? diffCell(chains, row, column) : null;
  const differing = chain.role === 'teacher' ? 'deletion' : 'insertion';
  const dress = (token: number): TokenMarkup => ({
    ...overlayMarkup(chain, token, options.overlay),
    wrapper: diff?.differs[token - cell.from] ? differing : null,
  });
  const before = (token: number) => {
    const missing = diff?.missing.get(token);
    return missing ? gapMark(chains[diff!.against], missing) : null;
  };
  return [...layOut({ chain, column, whole: cell }, cell, options, { dress, before }), ...faultNote(chain, cell)];
}

/** The rendered text; the step's label is in the first column already. */
function renderedContent(chain: ChainView, cell: DiffCell): Node[] {
  const end = chain.ended && cell.to === chain.ids.length ? cell.to - 1 : cell.to;
  return [
    element('div', { class: 'rendered' }, ...formattedNodes(chain.texts.slice(cell.from, end).join('').trim())),
    ...faultNote(chain, cell),
  ];
}

/** Two cells as one text: text of the first only is struck out, text of the second only is underlined. */
export function inlineContent(
  chains: readonly ChainView[],
  row: DiffRow,
  [left, right]: [number, number],
  options: CellOptions,
): Node[] {
  const [a, b] = [row.cells[left], row.cells[right]];
  const part = (of: ChainColumn, from: number, to: number, wrapper: TokenMarkup['wrapper']) =>
    layOut(of, { ...of.whole, from, to }, options, {
      dress: (token) => ({ ...overlayMarkup(of.chain, token, options.overlay), wrapper }),
      before: () => null,
    });
  const placed = (column: number, whole: DiffCell): ChainColumn => ({ chain: chains[column], column, whole });
  const nodes: Node[] = [];
  if (a && b) {
    let j = b.from;
    for (const { aFrom, aTo, bFrom, bTo } of [
      ...diffCells(chains[left], a, chains[right], b),
      { aFrom: a.to, aTo: a.to, bFrom: b.to, bTo: b.to },
    ]) {
      nodes.push(...part(placed(right, b), j, bFrom, null));
      nodes.push(...part(placed(left, a), aFrom, aTo, 'deletion'));
      nodes.push(...part(placed(right, b), bFrom, bTo, 'insertion'));
      j = bTo;
    }
  } else if (a) nodes.push(...part(placed(left, a), a.from, a.to, 'deletion'));
  else if (b) nodes.push(...part(placed(right, b), b.from, b.to, 'insertion'));
  return [...nodes, ...(b ? faultNote(chains[right], b) : [])];
}

/** A chain in its column, and the whole of its cell. */
interface ChainColumn {
  chain: ChainView;
  column: number;
  whole: DiffCell;
}

interface TokenDecorator {
  dress(token: number): TokenMarkup;
  /** An element to insert before a token. */
  before(token: number): Node | null;
}

/** The tokens of `cell`, which is its chain's whole cell or a part of it. */
function layOut(
  { chain, column, whole }: ChainColumn,
  cell: DiffCell,
  { matches, current }: CellOptions,
  { dress, before }: TokenDecorator,
): Node[] {
  const nodes: Node[] = [];
  let wrapper: HTMLElement | null = null;
  let wrapped: TokenMarkup['wrapper'] = null;
  const [start, end] = inkRange(chain, whole);
  const blank = start === whole.to;
  // The space before a marked range is separate, so that it is not marked.
  let bare = false;
  let marked: string | undefined;
  for (let token = cell.from; token <= cell.to; token++) {
    const gap = before(token);
    if (gap) {
      wrapper = null;
      wrapped = null;
      nodes.push(gap);
    }
    if (token === cell.to) break;
    const { classes, wrapper: kind } = dress(token);
    if (kind !== wrapped) {
      wrapped = kind;
      wrapper = kind ? element('span', { class: `${kind} ${chain.role}`, role: kind }) : null;
      if (wrapper) {
        bare = setSpace(chain, token, start, nodes);
        nodes.push(wrapper);
      }
    }
    const found = matches.find((match) => match.column === column && token >= match.from && token < match.to);
    if (token < cell.body) classes.push('step-label');
    if (found) classes.push(found === current ? 'found current' : 'found');
    const fault = chain.fault;
    if (fault && token >= fault.from && token < fault.to) classes.push(fault.guess ? 'doubtful' : 'faulty');
    const mark = classes.find((one) => /^fault|^doubtful|^finding|^found/.test(one));
    if (!bare && mark !== undefined && mark !== marked) bare = setSpace(chain, token, start, wrapper ?? nodes);
    marked = mark;
    const made = tokenNode({ chain, column }, token, classes, {
      leads: token === start || bare,
      ends: token >= end,
      blank,
    });
    bare = false;
    if (wrapper) wrapper.append(made);
    else nodes.push(made);
  }
  return nodes;
}

/** Outputs the leading space of a token, unless the token begins its cell. Returns whether there was one. */
function setSpace({ texts }: ChainView, token: number, start: number, into: Node[] | HTMLElement): boolean {
  const space = token > start ? /^ +/.exec(texts[token])?.[0] : undefined;
  if (space === undefined) return false;
  if (Array.isArray(into)) into.push(document.createTextNode(space));
  else into.append(space);
  return true;
}

/** The first visible token, and the index after the last: line ends around them would only make rows higher. */
function inkRange({ texts }: ChainView, { from, to }: DiffCell): [number, number] {
  let [start, end] = [from, to];
  while (start < end && texts[start].trim() === '') start++;
  while (end > start && texts[end - 1].trim() === '') end--;
  return [start, Math.max(start, end - 1)];
}

/** Identifies chain and token index: in inline mode, tokens of two chains are in one cell. */
function tokenNode(
  { chain, column }: Pick<ChainColumn, 'chain' | 'column'>,
  token: number,
  classes: string[],
  { leads, ends, blank }: { leads: boolean; ends: boolean; blank: boolean },
): HTMLElement {
  let text = chain.texts[token];
  const isEnd = chain.ended && token === chain.ids.length - 1;
  if (isEnd) classes.push('end-token');
  // A chain that consists of line ends must be visible.
  if (blank) text = text.replace(/\n/g, '↵').replace(/\s/g, '·');
  if (leads) text = text.replace(/^\s+/, '');
  if (ends) text = text.replace(/\n+$/, '');
  const made = element('span', {
    class: classes.length > 0 ? classes.join(' ') : undefined,
    'data-token': token,
    'data-of': column,
  });
  made.append(...(isEnd ? [document.createTextNode('end')] : visibleNodes(text)));
  return made;
}

function overlayMarkup(chain: ChainView, token: number, overlay: Overlay): { classes: string[] } {
  if (overlay === 'diff') return { classes: [] };
  if (overlay === 'reward') {
    // The least important findings come last: a false equation matters more than length.
    const kinds = chain.findings.filter(({ from, to }) => token >= from && token < to).map(({ kind }) => kind);
    const kind = (['wrong', 'right', 'costly'] as const).find((one) => kinds.includes(one));
    const ends = chain.findings.some(({ to, kind: one }) => one === kind && one !== 'costly' && to === token + 1);
    return { classes: kind ? [`finding-${kind}`, ...(ends ? ['finding-end'] : [])] : [] };
  }
  const value = tokenValue(chain, overlay, token);
  const level = levelOf(overlay, value);
  if (level === 0) return { classes: [] };
  if (overlay !== 'advantage') return { classes: [`level-${level}`] };
  return { classes: [`level-${level} ${value! > 0 ? 'raised' : 'lowered'}`] };
}

/** A gap where only the other chain has tokens. Its width shows their number, within limits. */
function gapMark(other: ChainView, { from, to }: { from: number; to: number }): HTMLElement {
  let size = 'narrow';
  if (to - from > 2) size = to - from > 8 ? 'wide' : 'middle';
  const count = `${to - from} token${to - from === 1 ? '' : 's'}`;
  const made = element('span', { class: `gap-mark ${size}`, role: 'img', 'aria-label': `gap of ${count}` });
  explain(made, () => [
    element('p', { class: 'dim' }, `Gap: ${count} of the ${other.role} chain missing here`),
    element('p', { class: 'token-name' }, ...visibleNodes(other.texts.slice(from, to).join('').trim())),
  ]);
  return made;
}

function faultNote({ fault }: ChainView, { segment, to, from }: DiffCell): Node[] {
  if (!fault || fault.segment !== segment || fault.from < from || fault.from >= to) return [];
  return [
    element(
      'span',
      { class: fault.guess ? 'fault-note guess' : 'fault-note', role: 'note' },
      ...visibleNodes(fault.sentence),
    ),
  ];
}
