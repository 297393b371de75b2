/** The metrics of a run for TensorBoard. */
import { join } from 'node:path';
import { readMetrics, readSummary, readValidation } from '../runs/reading';
import type { MetricsRecord, ValidationRecord } from '../runs/records';
import type { StageName } from '../stages';
import { firstRecord, type Scalar, scalarsRecord } from './event-file';

/** What of a record is no measurement. */
const places = new Set(['seq', 'step']);

/**
 * A file for each stage of a run, by its name, so that each is a run of TensorBoard with steps of its own: what was
 * measured at every update, the checks on held-out rows (`validation/...`), and the results on the test problems
 * (`test/...`), at the last update. Without `results` a file of a run that goes on only grows.
 */
export function eventFiles(run: string, results = true): Map<string, Buffer> {
  const stages = new Map<StageName, { seconds: number; records: Buffer[]; last: number }>();
  const of = (stage: StageName, time: string) => {
    const seconds = Date.parse(time) / 1000;
    const found = stages.get(stage) ?? { seconds, records: [firstRecord(seconds)], last: 0 };
    stages.set(stage, found);
    return found;
  };
  const updates = [...readMetrics(run), ...readValidation(run).map(asValidation)];
  for (const { stage, phase, step, time, ...rest } of updates.sort((a, b) => a.seq - b.seq)) {
    const file = of(stage, time);
    const scalars = scalarsOf(rest, phase === undefined || phase === stage ? '' : `${phase}/`);
    if (scalars.length > 0) file.records.push(scalarsRecord(Date.parse(time) / 1000, step, scalars));
    file.last = Math.max(file.last, step);
  }
  for (const { stage, accuracy, meanTokens } of results ? readSummary(run) : []) {
    const file = stages.get(stage);
    const test = { 'test/accuracy': accuracy, 'test/meanTokens': meanTokens };
    file?.records.push(scalarsRecord(file.seconds, file.last, scalarsOf(test, '')));
  }
  return new Map(
    [...stages].map(([stage, { seconds, records }]) => [
      join(stage, `events.out.tfevents.${Math.floor(seconds)}.distillery`),
      Buffer.concat(records),
    ]),
  );
}

type Update = Omit<MetricsRecord, 'parts'> & Pick<Partial<MetricsRecord>, 'parts'>;

function asValidation({ seq, time, stage, phase, step, accuracy, meanTokens, loss }: ValidationRecord): Update {
  const found = { accuracy, meanTokens, loss };
  const named = Object.entries(found).flatMap(([name, value]) =>
    value === undefined ? [] : [[`validation/${name}`, value]],
  );
  return { seq, time, stage, ...(phase && { phase }), step, ...Object.fromEntries(named) };
}

/** Numbers by their names, the reward's components as `parts/<name>`. TensorBoard shows NaN and infinities as such. */
function scalarsOf(
  { parts, ...rest }: { parts?: Record<string, number> } & Record<string, unknown>,
  before: string,
): Scalar[] {
  const all = [
    ...Object.entries(rest),
    ...Object.entries(parts ?? {}).map(([name, value]) => [`parts/${name}`, value] as const),
  ];
  return all.flatMap(([name, value]) =>
    typeof value === 'number' && !places.has(name) ? [{ tag: `${before}${name}`, value }] : [],
  );
}
