/** The metrics of a run for TensorBoard. */
import { closeSync, constants, existsSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StageName } from '../stages';
import { makeFolder, openToWrite, replaceText } from '../writing';
import { firstRecord, scalarsRecord } from './event-record';
import { type MeasurementsOf, measurementsOf } from './measurements';

/**
 * One file per stage of a run, so that each stage is a TensorBoard run with its own steps. Without `results` the files
 * of a run in progress only grow.
 */
export function eventFiles(run: string, asked: MeasurementsOf = {}): Map<string, Buffer> {
  const stages = new Map<StageName, { seconds: number; records: Buffer[] }>();
  for (const { stage, step, seconds, values } of measurementsOf(run, asked)) {
    const file = stages.get(stage) ?? { seconds, records: [firstRecord(seconds)] };
    stages.set(stage, file);
    const scalars = Object.entries(values).map(([tag, value]) => ({ tag, value }));
    file.records.push(scalarsRecord(seconds, step, scalars));
  }
  return new Map(
    [...stages].map(([stage, { seconds, records }]) => [
      join(stage, `events.out.tfevents.${Math.floor(seconds)}.distillery`),
      Buffer.concat(records),
    ]),
  );
}

/**
 * Writes them to `target`, a folder below `root`, and returns their paths. The user chose `root`: nothing below it is
 * written through a link.
 */
export function writeEventFiles(
  run: string,
  { root, target }: { root: string; target: string },
  asked: MeasurementsOf = {},
): string[] {
  return [...eventFiles(run, asked)].map(([name, bytes]) => {
    const file = join(target, name);
    makeFolder(root, dirname(file));
    put(root, file, bytes);
    return file;
  });
}

/** Content that TensorBoard has read stays if the file only grew, because it does not reread a replaced file. */
function put(root: string, file: string, bytes: Buffer): void {
  const before = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  if (before.length === 0 || !bytes.subarray(0, before.length).equals(before)) {
    replaceText(root, file, bytes);
    return;
  }
  const handle = openToWrite(root, file, constants.O_WRONLY | constants.O_APPEND);
  try {
    writeSync(handle, bytes, before.length);
  } finally {
    closeSync(handle);
  }
}
