import { recordRanges } from '../../report/curves';
import type { MetricsRecord } from '../../runs/records';
import { phaseTitle, type StageName } from '../../stages';
import { mean } from '../../statistics';
import { percent, plural } from '../terminal/format';
import { pc } from '../terminal/terminal';

/** The updates of one phase of training, in order. */
export interface PhaseCurve {
  stage: StageName;
  phase: string;
  records: MetricsRecord[];
}

export const phasesOf = (metrics: readonly MetricsRecord[]): PhaseCurve[] =>
  recordRanges(metrics).map(({ stage, phase = stage, from, to }) => ({
    stage,
    phase,
    records: metrics.slice(from, to),
  }));

/** A metric with a curve: its name, its field in a record, and its format. */
const curves: [string, (record: MetricsRecord) => number | undefined, (value: number) => string][] = [
  ['reward', ({ reward }) => reward, (value) => value.toFixed(3)],
  ['right', ({ accuracy }) => accuracy, (value) => percent(value, 0)],
  ['tokens', ({ lengthMean }) => lengthMean, (value) => value.toFixed(1)],
  ['cut off', ({ truncated }) => truncated, (value) => percent(value, 0)],
  ['loss', ({ loss }) => loss, (value) => value.toFixed(3)],
];

/** One line per curve, with means over the first and the last tenth of the updates. */
export function curvesText(phases: readonly PhaseCurve[]): string {
  return phases
    .map(({ stage, phase, records }) => {
      const title = `${phaseTitle(stage, phase)}: ${plural(records.length, 'update')}`;
      const lines = curves.flatMap(([name, read, write]) => {
        const values = records.map(read).filter((value) => value !== undefined);
        if (values.length === 0 || (name === 'cut off' && values.every((value) => value === 0))) return [];
        const tenth = Math.ceil(values.length / 10);
        const ends = [mean(values.slice(0, tenth)), mean(values.slice(-tenth))];
        return [`  ${name.padEnd(9)}  ${pc.cyan(sparkline(values).padEnd(40))}  ${ends.map(write).join(' → ')}`];
      });
      return [title, ...lines].join('\n');
    })
    .join('\n');
}

const blocks = [...'▁▂▃▄▅▆▇█'];

/** A curve in one line of text: means of `width` equal parts, scaled from the smallest to the largest. */
export function sparkline(values: readonly number[], width = 40): string {
  const parts = averages(
    values.filter((value) => Number.isFinite(value)),
    width,
  );
  const low = Math.min(...parts);
  const span = Math.max(...parts) - low;
  return parts
    .map((value) => blocks[span > 0 ? Math.min(blocks.length - 1, Math.floor(((value - low) / span) * 8)) : 3])
    .join('');
}

function averages(values: readonly number[], width: number): number[] {
  const count = Math.min(values.length, width);
  const bound = (part: number) => Math.floor((part * values.length) / count);
  return Array.from({ length: count }, (_, i) => mean(values.slice(bound(i), bound(i + 1))));
}
