import type { Pair, RunHead } from '../../src/protocol/dashboard';

/**
 * The table of results as CSV (RFC 4180), a line a tested student; shares from 0 to 1, differences with their 95 %
 * intervals. A run that began at a checkpoint of another has `start` for its first stage, and that checkpoint as
 * `<run>/<checkpoint>`.
 */
export function resultsCsv(heads: readonly RunHead[], pairs: readonly Pair[]): string {
  const differences = { base: 'start', baseline: 'strongest_baseline', first: 'first_run' } as const;
  const header = [
    ...[
      'run',
      'stage',
      'checkpoint',
      'n',
      'accuracy',
      'accuracy_low',
      'accuracy_high',
      'mean_tokens',
      'truncated',
      'seconds',
    ],
    ...Object.values(differences).flatMap((other) =>
      ['accuracy', 'tokens'].flatMap((what) => ['', '_low', '_high'].map((end) => `${what}_vs_${other}${end}`)),
    ),
  ];
  const lines = heads.flatMap(({ id, folder, start, results }) =>
    results.map(({ stage, checkpoint, n, accuracy, interval, meanTokens, truncated, seconds }) => {
      const compared = Object.keys(differences).flatMap((against) => {
        const pair = pairs.find((one) => one.run === folder && one.stage === stage && one.against === against);
        if (!pair) return Array<undefined>(6).fill(undefined);
        return [pair.accuracy, ...pair.accuracyInterval, pair.tokens, ...pair.tokensInterval];
      });
      const begun = stage === 'base' ? start : undefined;
      const student = begun ? ['start', `${begun.run}/${begun.checkpoint}`] : [stage, checkpoint];
      return [id, ...student, n, accuracy, ...interval, meanTokens, truncated, seconds, ...compared];
    }),
  );
  const quoted = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return [header, ...lines].map((cells) => `${cells.map((cell) => quoted(String(cell ?? ''))).join(',')}\r\n`).join('');
}
