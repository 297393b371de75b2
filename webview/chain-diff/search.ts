/** Searches for a text in the chains. */
import type { ChainView } from '../../src/protocol/chain-diff';
import type { DiffRow } from './rows';

export interface Match {
  row: number;
  column: number;
  /** Tokens that contain a part of it. */
  from: number;
  to: number;
}

const mostMatches = 5000;

/** All matches, row by row, ignoring case; any white space matches any other. */
export function findAll(chains: readonly ChainView[], rows: readonly DiffRow[], query: string): Match[] {
  const wanted = normal(query.trim());
  if (wanted === '') return [];
  const matches: Match[] = [];
  rows.forEach((row, r) => {
    row.cells.forEach((cell, column) => {
      if (!cell) return;
      const texts = chains[column].texts.slice(cell.from, cell.to);
      const text = normal(texts.join(''));
      const ends: number[] = [];
      texts.reduce((end, one) => {
        ends.push(end + one.length);
        return end + one.length;
      }, 0);
      for (let at = text.indexOf(wanted); at >= 0 && matches.length < mostMatches; at = text.indexOf(wanted, at + 1)) {
        const from = ends.findIndex((end) => end > at);
        const to = ends.findIndex((end) => end >= at + wanted.length) + 1;
        matches.push({ row: r, column, from: cell.from + from, to: cell.from + to });
      }
    });
  });
  return matches;
}

/** With the same length as the text, so that positions do not change. */
function normal(text: string): string {
  const lower = text.toLowerCase();
  return (lower.length === text.length ? lower : text).replace(/\s/g, ' ');
}
