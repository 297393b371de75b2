import type { RowsMessage } from '../../protocol/dashboard';
import type { MetricsRecord } from '../../runs/records';
import { stageNames } from '../../stages';

/** Fields of a record that are not measurements. */
const places = new Set(['seq', 'time', 'stage', 'phase', 'step', 'parts']);

/** The updates of a run as growing columns: a few bytes a number, sent to the page without conversion. */
export class UpdateColumns {
  rows = 0;
  readonly phases: string[] = [];
  readonly broken: [metric: string, row: number][] = [];
  /** NaN where a row lacks the metric. */
  readonly values = new Map<string, Float64Array>();
  private readonly partNames = new Map<string, string>();
  stage = new Uint8Array(256);
  phase = new Uint8Array(256);
  step = new Uint32Array(256);
  time = new Float64Array(256);

  append(record: MetricsRecord): void {
    if (this.rows === this.stage.length) this.grow();
    const row = this.rows++;
    this.stage[row] = stageNames.indexOf(record.stage);
    this.phase[row] = this.phaseIndex(record.phase ?? record.stage);
    this.step[row] = record.step;
    this.time[row] = Date.parse(record.time);
    for (const name of Object.keys(record)) {
      const value = record[name as keyof MetricsRecord];
      if (typeof value === 'number' && !places.has(name)) this.set(name, row, value);
    }
    const { parts } = record;
    if (parts) for (const name of Object.keys(parts)) this.set(this.columnOf(name), row, parts[name]);
  }

  /** The column of a reward component. Cached: a newly concatenated string is slow to look up. */
  private columnOf(part: string): string {
    let name = this.partNames.get(part);
    if (name === undefined) {
      name = `parts/${part}`;
      this.partNames.set(part, name);
    }
    return name;
  }

  /** Rows `from` to `to` as a message; the arrays are copies. */
  message(run: string, from: number, to = this.rows): RowsMessage {
    return {
      type: 'rows',
      run,
      from,
      phases: [...this.phases],
      stage: this.stage.slice(from, to),
      phase: this.phase.slice(from, to),
      step: this.step.slice(from, to),
      time: this.time.slice(from, to),
      values: Object.fromEntries([...this.values].map(([name, column]) => [name, column.slice(from, to)])),
      broken: this.broken.filter(([, row]) => row >= from && row < to),
    };
  }

  private set(name: string, row: number, value: number): void {
    let column = this.values.get(name);
    if (!column) {
      column = new Float64Array(this.stage.length).fill(Number.NaN);
      this.values.set(name, column);
    }
    column[row] = value;
    if (!Number.isFinite(value)) this.broken.push([name, row]);
  }

  private phaseIndex(name: string): number {
    const known = this.phases.indexOf(name);
    return known >= 0 ? known : this.phases.push(name) - 1;
  }

  private grow(): void {
    const size = this.stage.length * 2;
    const stage = new Uint8Array(size);
    const phase = new Uint8Array(size);
    const step = new Uint32Array(size);
    const time = new Float64Array(size);
    stage.set(this.stage);
    phase.set(this.phase);
    step.set(this.step);
    time.set(this.time);
    Object.assign(this, { stage, phase, step, time });
    for (const [name, column] of this.values) {
      const wider = new Float64Array(size).fill(Number.NaN);
      wider.set(column);
      this.values.set(name, wider);
    }
  }
}

/** A range of rows of one stage and phase: `from` to `to` - 1. */
export interface PhaseRange {
  stage: number;
  phase: number;
  from: number;
  to: number;
}

export function phaseRanges({ rows, stage, phase }: Pick<UpdateColumns, 'rows' | 'stage' | 'phase'>): PhaseRange[] {
  const stretches: PhaseRange[] = [];
  for (let row = 0; row < rows; row++) {
    const last = stretches.at(-1);
    if (last && last.stage === stage[row] && last.phase === phase[row]) last.to = row + 1;
    else stretches.push({ stage: stage[row], phase: phase[row], from: row, to: row + 1 });
  }
  return stretches;
}
