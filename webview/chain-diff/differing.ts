/** The cells that differ from the chain that they are compared with, in reading order by row. */
import type { ChainView } from '../../src/protocol/chain-diff';
import type { DiffRow } from './rows';
import { diffCell } from './token-diff';

/** `column` is the table's, `of` the chain's: in inline mode, the table has one column. */
export function differingCells(
  chains: readonly ChainView[],
  rows: readonly DiffRow[],
  inline: [number, number] | null,
): { row: number; column: number; of: number }[] {
  const compared = inline ? [inline[1]] : chains.map((_, c) => c).slice(chains.length > 1 ? 1 : 0);
  const against = inline?.[0] ?? 0;
  return rows.flatMap((one, row) =>
    compared.flatMap((of) => {
      const diff = diffCell(chains, one, of, against);
      const differs = diff ? diff.differences.length > 0 : (one.cells[of] === null) !== (one.cells[against] === null);
      return differs ? [{ row, column: inline ? 0 : of, of }] : [];
    }),
  );
}
