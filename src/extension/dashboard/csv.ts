import { type StageName, stageNames } from '../../stages';
import type { UpdateColumns } from './columns';

/** Updates as CSV (RFC 4180), one per line, times as ISO 8601. Empty cells were not measured. */
export function updatesCsv(
  runs: readonly { id: string; columns: UpdateColumns }[],
  metrics: readonly string[],
  wanted: readonly StageName[],
): string {
  const lines = [['run', 'stage', 'phase', 'step', 'time', ...metrics].map(quoted).join(',')];
  for (const { id, columns } of runs) {
    const broken = new Set(columns.broken.map(([metric, row]) => `${metric} ${row}`));
    for (let row = 0; row < columns.rows; row++) {
      const stage = stageNames[columns.stage[row]];
      if (!wanted.includes(stage)) continue;
      const time = columns.time[row];
      const cells = [
        id,
        stage,
        columns.phases[columns.phase[row]],
        String(columns.step[row]),
        Number.isFinite(time) ? new Date(time).toISOString() : '',
        ...metrics.map((metric) => {
          const value = columns.values.get(metric)?.[row] ?? Number.NaN;
          return Number.isNaN(value) && !broken.has(`${metric} ${row}`) ? '' : String(value);
        }),
      ];
      lines.push(cells.map(quoted).join(','));
    }
  }
  return `${lines.join('\r\n')}\r\n`;
}

const quoted = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
