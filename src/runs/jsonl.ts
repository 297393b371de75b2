/** JSON lines that survive crashes: a line counts when its line end is written, and only then. */
import fs from 'node:fs';
import type * as z from 'zod';
import { guardDisk } from '../disk';
import { UserError } from '../errors';
import { encode } from '../json';
import { parseJson, readLines } from '../lines';
import { cutFile, openToWrite, remove } from '../writing';

/** Appends whole lines to a file below `root`. A torn line that a crash left is cut off first; if the disk is full, nothing of this call stays. */
export function appendLines(root: string, file: string, records: readonly unknown[]): void {
  if (records.length === 0) return;
  const bytes = Buffer.from(records.map((record) => `${encode(record)}\n`).join(''));
  guardDisk(file, 'every earlier line is kept', () => {
    // Not O_APPEND: Windows does not let such a handle be cut.
    const handle = openToWrite(root, file, fs.constants.O_RDWR | fs.constants.O_CREAT);
    try {
      const end = lineEndBefore(handle, fs.fstatSync(handle).size);
      try {
        for (let done = 0; done < bytes.length; )
          done += fs.writeSync(handle, bytes, done, bytes.length - done, end + done);
        fs.ftruncateSync(handle, end + bytes.length);
      } catch (error) {
        fs.ftruncateSync(handle, end);
        throw error;
      }
    } finally {
      fs.closeSync(handle);
    }
  });
}

/** Where the last whole line before byte `limit` ends (just after its line end); 0 if there is none. */
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

/** The records of a file; none if there is no file. A torn last line is left out; any other broken line is an error. */
export function readRecords<T>(file: string, schema: z.ZodType<T>): T[] {
  return [...rawRecords(file)].map(({ value, line }) => check(schema, value, { file, line }));
}

/** Checks a value that was read from a run folder. */
export function check<T>(schema: z.ZodType<T>, value: unknown, place: { file: string; line?: number }): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new UserError(`not a valid record: ${issue.path.join('.') || 'the whole'}: ${issue.message}`, {
    ...place,
    code: 'run',
    remedy: 'The file was changed or damaged; restore it, or remove the line.',
  });
}

function* rawRecords(file: string): Generator<{ value: unknown; line: number; start: number }> {
  if (!fs.existsSync(file)) return;
  for (const { text, number, start, ended } of readLines(file))
    if (ended) yield { value: parseJson(text, { file, line: number, code: 'run' }), line: number, start };
}

/** The `seq` of the last whole line, and where that line ends; zeros if there is none. */
export function lastSeq(file: string): { seq: number; end: number } {
  if (!fs.existsSync(file)) return { seq: 0, end: 0 };
  const handle = fs.openSync(file, 'r');
  try {
    const end = lineEndBefore(handle, fs.fstatSync(handle).size);
    if (end === 0) return { seq: 0, end };
    const bytes = Buffer.alloc(end - lineEndBefore(handle, end - 1));
    fs.readSync(handle, bytes, 0, bytes.length, end - bytes.length);
    return { seq: seqOf(lastValue(file, bytes.toString())), end };
  } finally {
    fs.closeSync(handle);
  }
}

/** The value of a file's last whole line. One that is broken is named by its number, for which all are counted. */
function lastValue(file: string, text: string): unknown {
  try {
    return parseJson(text, { file, code: 'run' });
  } catch (error) {
    for (const _ of rawRecords(file));
    throw error;
  }
}

/** Cuts off the first record whose `seq` is greater and all that follows, or a torn line. A file left empty is removed. */
export function truncateAfter(root: string, file: string, seq: number): void {
  if (!fs.existsSync(file)) return;
  const last = lastSeq(file);
  let end = last.end;
  if (last.seq > seq)
    for (const { value, start } of rawRecords(file))
      if (seqOf(value) > seq) {
        end = start;
        break;
      }
  guardDisk(file, 'nothing was cut', () => {
    if (end === 0) remove(root, file);
    else if (end < fs.statSync(file).size) cutFile(root, file, end);
  });
}

function seqOf(value: unknown): number {
  const seq = (value as { seq?: unknown } | null)?.seq;
  return typeof seq === 'number' ? seq : 0;
}
