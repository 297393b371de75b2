/** Aligns the parts of the chains in rows. */
import { alignSteps } from '../../src/chain/align';
import type { ChainView, Segment } from '../../src/protocol/chain-diff';

/** A range of a chain's tokens in one row. */
export interface DiffCell {
  /** Index of the chain's segment. */
  segment: number;
  from: number;
  to: number;
  /** Where the content begins, after a label such as "Step 3:". */
  body: number;
}

export interface DiffRow {
  /** Rows of one group belong to one step of the chains: they fold together. */
  group: number;
  kind: Segment['kind'];
  /** Number of the step in the first chain that has it. */
  number?: number;
  /** Whether the first chain has it. */
  led: boolean;
  /** One per chain; null is a gap. */
  cells: (DiffCell | null)[];
}

/** Groups with a longer cell are laid out sentence by sentence. */
const longestCell = 90;
/** A sentence without an end is split after this many tokens. */
const longestSentence = 160;

/**
 * Rows of up to three chains. The first one determines the order: additional parts of the others come before its
 * following step.
 */
export function alignChains(chains: readonly ChainView[]): DiffRow[] {
  const rows: DiffRow[] = [];
  const add = (segments: (number | null)[]) => {
    const group = rows.length === 0 ? 0 : rows.at(-1)!.group + 1;
    const [first] = segments.flatMap((segment, c) => (segment === null ? [] : [chains[c].segments[segment]]));
    for (const cells of sentenceRows(chains, segments))
      rows.push({
        group,
        kind: first.kind,
        led: segments[0] !== null,
        ...(first.number !== undefined && { number: first.number }),
        cells,
      });
  };
  const only = (kind: Segment['kind']) => chains.map(({ segments }) => indexOrNull(segments, kind));
  const [thinking, answer] = [only('thinking'), only('answer')];
  if (thinking.some((segment) => segment !== null)) add(thinking);
  const steps = chains.map((chain) =>
    chain.segments.flatMap((segment, i) =>
      segment.kind === 'step'
        ? [{ index: i, text: contentOf(chain, { to: segment.to, body: bodyStart(chain, segment.from, segment.to) }) }]
        : [],
    ),
  );
  for (const columns of alignMany(steps.map((list) => list.map(({ text }) => text))))
    add(columns.map((step, c) => (step === null ? null : steps[c][step].index)));
  if (answer.some((segment) => segment !== null)) add(answer);
  return rows;
}

function indexOrNull(segments: readonly Segment[], kind: Segment['kind']): number | null {
  const index = segments.findIndex((segment) => segment.kind === kind);
  return index < 0 ? null : index;
}

const labels =
  /^\s*(?:(?:[#>*-]{1,6}\s*)*(?:Step\s?\d{1,4}\s?[:.)]\*{0,2}|(?:Final\s)?Answer\s?:\*{0,2}|Thinking\s?(?::|…|\.\.\.)\*{0,2})|\d{1,3}[.)]|####)/i;

/** The token after the label of a segment; its first one if it has no label, or if the label ends within a token. */
function bodyStart({ texts }: ChainView, from: number, to: number): number {
  const label = labels.exec(texts.slice(from, Math.min(to, from + 24)).join(''))?.[0].length ?? 0;
  let at = from;
  for (let length = 0; at < to && length < label; at++) length += texts[at].length;
  return at;
}

/** The content of a segment without its label, whose number would count as a common number. */
function contentOf({ texts }: ChainView, { body, to }: Pick<DiffCell, 'body' | 'to'>): string {
  return texts.slice(body, to).join('');
}

/** Aligns one to three lists of texts by content. Each row has an index or null for each list. */
export function alignMany(lists: readonly string[][], threshold?: number): (number | null)[][] {
  const [first = [], ...others] = lists;
  if (others.length === 0) return first.map((_, i) => [i]);
  // For each other list: the items before item i of the first, and the one aligned with it.
  const beside = others.map((list) => {
    const places = Array.from({ length: first.length + 1 }, () => ({
      before: [] as number[],
      match: null as number | null,
    }));
    let at = 0;
    for (const { a, b } of alignSteps(first, list, threshold)) {
      if (a === null) places[at].before.push(b!);
      else {
        places[a].match = b;
        at = a + 1;
      }
    }
    return places;
  });
  return Array.from({ length: first.length + 1 }, (_, i) => i).flatMap((i) => {
    const inserted = alignMany(
      beside.map((places, o) => places[i].before.map((b) => others[o][b])),
      threshold,
    ).map((row) => [null, ...row.map((b, o) => (b === null ? null : beside[o][i].before[b]))]);
    return i < first.length ? [...inserted, [i, ...beside.map((places) => places[i].match)]] : inserted;
  });
}

/** One row, or a row per sentence if one of the segments is long. */
function sentenceRows(chains: readonly ChainView[], segments: (number | null)[]): (DiffCell | null)[][] {
  const whole = segments.map((segment, c) => {
    if (segment === null) return null;
    const { from, to } = chains[c].segments[segment];
    return { segment, from, to, body: bodyStart(chains[c], from, to) };
  });
  if (whole.every((cell) => cell === null || cell.to - cell.from <= longestCell)) return [whole];
  const present = whole.flatMap((cell, c) => (cell ? [c] : []));
  const sentences = present.map((c) => cutCell(chains[c], whole[c]!));
  const aligned = alignMany(
    sentences.map((cells, p) => cells.map((cell) => contentOf(chains[present[p]], cell))),
    0.2,
  );
  return closeUp(aligned).map((row) => {
    const cells: (DiffCell | null)[] = segments.map(() => null);
    row.forEach((index, p) => {
      if (index !== null) cells[present[p]] = sentences[p][index];
    });
    return cells;
  });
}

function cutCell(chain: ChainView, cell: DiffCell): DiffCell[] {
  const cuts = chain.segments[cell.segment].cuts.filter((cut) => cut > cell.from && cut < cell.to);
  const cells: DiffCell[] = [];
  const add = (from: number, to: number) =>
    cells.push({ ...cell, from, to, body: Math.min(to, Math.max(from, cell.body)) });
  let { from } = cell;
  for (const cut of [...new Set(cuts), cell.to]) {
    for (; cut - from > longestSentence; from += longestSentence) add(from, from + longestSentence);
    add(from, cut);
    from = cut;
  }
  return cells;
}

/**
 * Within a step a sentence is placed opposite another one rather than a gap: adjacent rows without a common column are
 * merged.
 */
function closeUp(rows: (number | null)[][]): (number | null)[][] {
  const closed: (number | null)[][] = [];
  for (const row of rows) {
    const last = closed.at(-1);
    if (last && row.every((index, c) => index === null || last[c] === null))
      closed[closed.length - 1] = row.map((index, c) => index ?? last[c]);
    else closed.push(row);
  }
  return closed;
}
