/** The measurements of a run for trackers: named numbers, update by update. */
import { existsSync } from 'node:fs';
import type { Damage } from '../lines';
import { metricsFile } from '../runs/layout';
import { readMetrics, readSummary, readValidation } from '../runs/reading';
import type { MetricsRecord, ValidationRecord } from '../runs/records';
import type { StageName } from '../stages';

/** Values measured at the same time. */
export interface Measurement {
  /** Sequence number of the run's record. */
  seq: number;
  stage: StageName;
  /** The update, counted within the stage. */
  step: number;
  /** Seconds since 1970. */
  seconds: number;
  /** Including NaN and infinities. */
  values: Record<string, number>;
}

export interface MeasurementsOf {
  results?: boolean;
  damage?: Damage;
}

/**
 * Every update, validations (`validation/...`), and, with `results`, tests (`test/...`) at their stage's last update.
 * Reward components are `parts/<name>`; phases with their own loop are prefixed with their name. Unreadable records are
 * reported to `damage` and skipped; without it they are errors.
 */
export function measurementsOf(run: string, { results = true, damage }: MeasurementsOf = {}): Measurement[] {
  if (!existsSync(metricsFile(run))) return [];
  const updates = [...readMetrics(run, damage), ...readValidation(run, damage).map(asValidation)].sort(
    (a, b) => a.seq - b.seq,
  );
  const found = updates.flatMap(({ stage, phase, step, time, seq, ...rest }) => {
    const values = namedNumbers(rest, phase === undefined || phase === stage ? '' : `${phase}/`);
    return Object.keys(values).length > 0 ? [{ seq, stage, step, seconds: Date.parse(time) / 1000, values }] : [];
  });
  return results ? [...found, ...resultsOf(run, found, damage)] : found;
}

function resultsOf(run: string, updates: readonly Measurement[], damage?: Damage): Measurement[] {
  return readSummary(run, damage).flatMap(({ stage, accuracy, meanTokens, seq }) => {
    const ofStage = updates.filter((one) => one.stage === stage);
    if (ofStage.length === 0) return [];
    const step = ofStage.reduce((most, one) => Math.max(most, one.step), 0);
    const last = ofStage[ofStage.length - 1];
    const values = { 'test/accuracy': accuracy, 'test/meanTokens': meanTokens };
    return [{ seq: seq ?? last.seq, stage, step, seconds: last.seconds, values }];
  });
}

type UpdateRecord = Omit<MetricsRecord, 'parts'> & Pick<Partial<MetricsRecord>, 'parts'>;

function asValidation({ seq, time, stage, phase, step, accuracy, meanTokens, loss }: ValidationRecord): UpdateRecord {
  const found = { accuracy, meanTokens, loss };
  const named = Object.entries(found).flatMap(([name, value]) =>
    value === undefined ? [] : [[`validation/${name}`, value]],
  );
  return { seq, time, stage, ...(phase && { phase }), step, ...Object.fromEntries(named) };
}

function namedNumbers(
  { parts, ...rest }: { parts?: Record<string, number> } & Record<string, unknown>,
  before: string,
): Record<string, number> {
  const all = [
    ...Object.entries(rest),
    ...Object.entries(parts ?? {}).map(([name, value]) => [`parts/${name}`, value] as const),
  ];
  const numbers = all.filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(numbers.map(([name, value]) => [`${before}${name}`, value as number]));
}
