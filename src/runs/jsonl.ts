/** JSON lines that survive crashes: a line counts only once its line end is written. */
import fs from 'node:fs';
import type * as z from 'zod';
import { guardDisk } from '../disk';
import { UserError } from '../errors';
import { encode } from '../json';
import { type Damage, maxLineBytes, openForReading, parseJson, readLines } from '../lines';
import { sizeOf } from '../paths';
import { cutFile, openToWrite, remove, writeAtEnd } from '../writing';

/**
 * Appends complete lines to a file below `root`. An incomplete line left by a crash is removed first; if the disk is
 * full, nothing of this call remains.
 */
export function appendLines(root: string, file: string, records: readonly unknown[]): void {
  if (records.length === 0) return;
  const bytes = Buffer.from(records.map((record) => `${encode(record)}\n`).join(''));
  guardDisk(file, 'every earlier line is kept', () => {
    // Not O_APPEND: Windows cannot truncate such a handle.
    const handle = openToWrite(root, file, fs.constants.O_RDWR | fs.constants.O_CREAT);
    try {
      writeAtEnd(handle, bytes, lineEndBefore(handle, fs.fstatSync(handle).size));
    } finally {
      fs.closeSync(handle);
    }
  });
}

/** The end of the last complete line before byte `limit` (after its line end); 0 if there is none. */
function lineEndBefore(handle: number, limit: number): number {
  const block = Buffer.alloc(64 * 1024);
  for (let end = limit; end > 0; ) {
    const from = Math.max(0, end - block.length);
    const at = block.subarray(0, fs.readSync(handle, block, 0, end - from, from)).lastIndexOf(10);
    if (at >= 0) return from + at + 1;
    end = from;
  }
  return 0;
}

/** Maximum bytes of a record file that are held in memory. */
const maxFileBytes = 256 << 20;

/** After this many unreadable lines the rest of a file is skipped, as reporting each takes time. */
const mostDamaged = 1000;

/**
 * The records of a file; none if there is no file. An incomplete last line is ignored. Any other unreadable line is an
 * error, or is reported to `damage` and skipped; so is everything after the first `most` bytes, and a file that cannot
 * be opened or read further.
 */
export function readRecords<T>(file: string, schema: z.ZodType<T>, damage?: Damage, most = maxFileBytes): T[] {
  const records: T[] = [];
  for (const { record } of eachRecord(file, schema, { damage, most })) records.push(record);
  const size = sizeOf(file);
  if (size <= most) return records;
  const message = `the file has ${size} bytes: everything after the first ${most} is skipped`;
  const problem = new UserError(message, { file, code: 'run' });
  if (!damage) throw problem;
  damage(problem);
  return records;
}

/**
 * The same one by one, of a file of any size or of its first `most` bytes: `start` and `next` are the bytes at which a
 * line begins and ends.
 */
export function* eachRecord<T>(
  file: string,
  schema: z.ZodType<T>,
  { damage, most }: { damage?: Damage; most?: number } = {},
): Generator<{ record: T; start: number; next: number }> {
  let damaged = 0;
  const tell = (problem: UserError) => {
    if (!damage) throw problem;
    damage(problem);
    if (++damaged === mostDamaged) throw new TooDamaged();
  };
  try {
    for (const { value, line, start, next } of rawRecords(file, damage && tell, most)) {
      const record = checked(schema, value, { file, line });
      if (record instanceof UserError) tell(record);
      else yield { record, start, next };
    }
  } catch (error) {
    if (!damage) throw error;
    if (error instanceof TooDamaged)
      damage(new UserError(`${mostDamaged} lines cannot be read: the rest is skipped`, { file, code: 'run' }));
    else if (error instanceof UserError) damage(error);
    else throw error;
  }
}

/** Ends the reading of a thoroughly damaged file. */
class TooDamaged extends Error {}

/** Validates a value read from a run folder. */
export function check<T>(schema: z.ZodType<T>, value: unknown, place: { file: string; line?: number }): T {
  const found = checked(schema, value, place);
  if (found instanceof UserError) throw found;
  return found;
}

function checked<T>(schema: z.ZodType<T>, value: unknown, place: { file: string; line?: number }): T | UserError {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return new UserError(`not a valid record: ${issue.path.join('.') || 'the whole'}: ${issue.message}`, {
    ...place,
    code: 'run',
    remedy: 'The file was changed or damaged; restore it, or remove the line.',
  });
}

interface RawRecord {
  value: unknown;
  line: number;
  /** Byte offsets of the line and of the next one. */
  start: number;
  next: number;
}

function* rawRecords(file: string, damage?: Damage, most?: number): Generator<RawRecord> {
  if (!fs.existsSync(file)) return;
  for (const { text, number, start, next, ended } of readLines(file, damage, most)) {
    if (!ended) continue;
    try {
      yield { value: parseJson(text, { file, line: number, code: 'run' }), line: number, start, next };
    } catch (error) {
      if (!damage || !(error instanceof UserError)) throw error;
      damage(error);
    }
  }
}

/**
 * The `seq` of the last readable line, and the end of that line; zeros if there is none. After a power cut lines at the
 * end may consist of NULs.
 */
export function lastSeq(file: string): { seq: number; end: number } {
  if (!fs.existsSync(file)) return { seq: 0, end: 0 };
  const handle = openForReading(file);
  try {
    for (let end = lineEndBefore(handle, fs.fstatSync(handle).size); end > 0; ) {
      const start = lineEndBefore(handle, end - 1);
      const value = end - start <= maxLineBytes ? valueAt(handle, start, end) : undefined;
      if (value !== undefined) return { seq: seqOf(value), end };
      end = start;
    }
    return { seq: 0, end: 0 };
  } finally {
    fs.closeSync(handle);
  }
}

/** The value of a line; undefined when it cannot be parsed. */
function valueAt(handle: number, start: number, end: number): unknown {
  const bytes = Buffer.alloc(end - start);
  fs.readSync(handle, bytes, 0, bytes.length, start);
  try {
    return parseJson(bytes.toString(), {});
  } catch {
    return undefined;
  }
}

/**
 * Truncates the file after the last record with a `seq` of at most `seq`: later records, unreadable lines and an
 * incomplete line are removed. An empty file is deleted.
 */
export function truncateAfter(root: string, file: string, seq: number): void {
  if (!fs.existsSync(file)) return;
  const last = lastSeq(file);
  const end = last.seq > seq ? endOf(file, seq) : last.end;
  guardDisk(file, 'the file was not changed', () => {
    if (end === 0) remove(root, file);
    else if (end < fs.statSync(file).size) cutFile(root, file, end);
  });
}

/** The end of the last record before the first one with a greater `seq`. */
function endOf(file: string, seq: number): number {
  let end = 0;
  for (const { value, next } of rawRecords(file, () => {})) {
    if (seqOf(value) > seq) break;
    end = next;
  }
  return end;
}

function seqOf(value: unknown): number {
  const seq = (value as { seq?: unknown } | null)?.seq;
  return typeof seq === 'number' ? seq : 0;
}
