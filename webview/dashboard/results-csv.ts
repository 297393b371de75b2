import type { PairedResults, RunHead } from '../../src/protocol/dashboard';
import { columns } from '../../src/results';

/**
 * The table of results as CSV (RFC 4180), a line a tested student; shares from 0 to 1, differences with their 95 %
 * intervals. A run that began at a checkpoint of another has `start` for its first stage, and that checkpoint as
 * `<run>/<checkpoint>`.
 */
export function resultsCsv(heads: readonly RunHead[], pairs: readonly PairedResults[]): string {
  const differences = { base: 'start', baseline: 'strongest_baseline', first: 'first_run' } as const;
  // n, the number of problems, comes first, as all other figures depend on it.
  const shown = columns.toSorted((a, b) => Number(b.name === 'n') - Number(a.name === 'n'));
  const compared = columns.flatMap(({ difference }) => difference?.paired.of ?? []);
  const header = [
    ...['run', 'stage', 'checkpoint', ...shown.flatMap(({ csv }) => csv)],
    ...Object.values(differences).flatMap((other) =>
      compared.flatMap((what) => ['', '_low', '_high'].map((end) => `${what}_vs_${other}${end}`)),
    ),
  ];
  const lines = heads.flatMap(({ id, folder, start, results }) =>
    results.map((result) => {
      const { stage, checkpoint } = result;
      const changes = Object.keys(differences).flatMap((against) => {
        const pair = pairs.find((one) => one.run === folder && one.stage === stage && one.against === against);
        return compared.flatMap((what) => (pair ? [pair[what], ...pair[`${what}Interval`]] : Array(3).fill(undefined)));
      });
      const begun = stage === 'base' ? start : undefined;
      const student = begun ? ['start', `${begun.run}/${begun.checkpoint}`] : [stage, checkpoint];
      return [id, ...student, ...shown.flatMap(({ values }) => values(result)), ...changes];
    }),
  );
  const quoted = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return [header, ...lines].map((cells) => `${cells.map((cell) => quoted(String(cell ?? ''))).join(',')}\r\n`).join('');
}
