/** Recorded updates for tests, one row each. */
import type { RowsMessage } from '../../../src/protocol/dashboard';
import { stageNames } from '../../../src/stages';
import { Track } from '../track';

/** Every stage, by its index. */
export const all = new Set(stageNames.keys());

export type MetricRow = [
  stage: (typeof stageNames)[number],
  step: number,
  second: number,
  values: Record<string, number>,
];

export function message(run: string, rows: MetricRow[], from = 0): RowsMessage {
  const names = [...new Set(rows.flatMap(([, , , values]) => Object.keys(values)))];
  return {
    type: 'rows',
    run,
    from,
    phases: [...stageNames],
    stage: Uint8Array.from(rows, ([stage]) => stageNames.indexOf(stage)),
    phase: Uint8Array.from(rows, ([stage]) => stageNames.indexOf(stage)),
    step: Uint32Array.from(rows, ([, step]) => step),
    time: Float64Array.from(rows, ([, , second]) => 1e12 + 1000 * second),
    values: Object.fromEntries(
      names.map((name) => [name, Float64Array.from(rows, ([, , , values]) => values[name] ?? Number.NaN)]),
    ),
    broken: [],
  };
}

export function track(run: string, rows: MetricRow[]): Track {
  const made = new Track(run);
  made.take(message(run, rows));
  return made;
}

export const steps = (
  stage: MetricRow[0],
  count: number,
  second = 0,
  values: (i: number) => Record<string, number> = () => ({ loss: 1 }),
) => Array.from({ length: count }, (_, i): MetricRow => [stage, i + 1, second + i, values(i)]);
