/**
 * Every received reply, one per line, written before anything else is done with it, so that no reply is paid for twice,
 * whatever happens to the process. One process at a time appends; an incomplete last line, left by a crash or a full
 * disk, is removed.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { extractAnswer } from '../answers/extract';
import { guardDisk } from '../disk';
import { UserError } from '../errors';
import { parseJson, readLines } from '../lines';
import { acquireLock } from '../runs/lock';
import { flushFolder, makeFolder, openToWrite, writeAtEnd } from '../writing';
import { optionalSettings, type Reply, type Teacher, type TeacherRequest } from './types';

const count = z.number().int().nonnegative();
const recordSchema = z.object({
  /** `requestKey` of the request. */
  key: z.string(),
  problemId: z.string(),
  sample: count,
  model: z.string(),
  host: z.string(),
  time: z.string(),
  seconds: z.number(),
  thought: z.string(),
  text: z.string(),
  finished: z.boolean(),
  usage: z.object({ prompt: count, completion: count }),
  estimated: z.boolean().optional(),
  without: z.array(z.enum(optionalSettings)).optional(),
});
type JournalRecord = z.infer<typeof recordSchema>;

/** The part of a reply that stays in memory; its texts stay on disk. */
export interface JournalEntry {
  /** The answer in the solution, strictly extracted; null if there is none. */
  answer: string | null;
  finished: boolean;
  usage: Reply['usage'];
  /** Code units of the thinking and of the solution. */
  lengths: { thought: number; text: number };
  start: number;
  bytes: number;
}

/**
 * Identifies equal requests, which can share a reply: endpoint, model, everything that is sent, and the sample's
 * number.
 */
export function requestKey(
  teacher: Pick<Teacher, 'endpoint' | 'model'>,
  request: TeacherRequest,
  sample: number,
): string {
  const { prompt, temperature, maxTokens, seed } = request;
  const parts = [teacher.endpoint, teacher.model, prompt, temperature, maxTokens, seed ?? null, sample];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

export interface ReplyJournal {
  folder: string;
  entries: ReadonlyMap<string, JournalEntry>;
  append(record: JournalRecord): JournalEntry;
  /** The whole record of an entry. */
  read(entry: JournalEntry): JournalRecord;
  close(): void;
}

export const repliesFile = (folder: string) => join(folder, 'replies.jsonl');

/**
 * Opens the journal in a folder, which is created if necessary. @throws UserError when another process uses it, a line
 * is damaged, or for disk errors
 */
export function openJournal(folder: string): ReplyJournal {
  const file = repliesFile(folder);
  guardDisk(folder, 'nothing was asked', () => makeFolder(dirname(folder), folder));
  const lock = lockJournal(folder);
  let handle: number | undefined;
  try {
    handle = guardDisk(file, 'nothing was asked', () =>
      openToWrite(folder, file, fs.constants.O_RDWR | fs.constants.O_CREAT),
    );
    flushFolder(folder);
    return journalOf(folder, handle, () => {
      fs.closeSync(handle!);
      lock.release();
    });
  } catch (error) {
    if (handle !== undefined) fs.closeSync(handle);
    lock.release();
    throw error;
  }
}

function journalOf(folder: string, handle: number, close: () => void): ReplyJournal {
  const file = repliesFile(folder);
  const { entries, end: whole } = readEntries(file);
  let end = whole;
  fs.ftruncateSync(handle, end);
  return {
    folder,
    entries,
    append(record) {
      const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
      guardDisk(file, 'every earlier reply is kept', () => writeAtEnd(handle, bytes, end, true));
      const entry = entryOf(record, end, bytes.length);
      end += bytes.length;
      entries.set(record.key, entry);
      return entry;
    },
    read({ start, bytes }) {
      const buffer = Buffer.alloc(bytes);
      fs.readSync(handle, buffer, 0, bytes, start);
      return recordSchema.parse(JSON.parse(buffer.toString()));
    },
    close,
  };
}

/** The entries of a journal's file, read without the lock; none if there is no file. */
function readEntries(file: string): { entries: Map<string, JournalEntry>; end: number } {
  const entries = new Map<string, JournalEntry>();
  let end = 0;
  if (!fs.existsSync(file)) return { entries, end };
  for (const { text, number, start, ended } of readLines(file)) {
    if (!ended) break;
    const result = recordSchema.safeParse(parseJson(text, { file, line: number, code: 'teacher' }));
    if (!result.success)
      throw new UserError('this is not a reply of a teacher', {
        file,
        line: number,
        code: 'teacher',
        remedy: 'The journal was changed or damaged; restore it, or remove the line (it will be requested again).',
      });
    const bytes = Buffer.byteLength(text) + 1;
    entries.set(result.data.key, entryOf(result.data, start, bytes));
    end = start + bytes;
  }
  return { entries, end };
}

function entryOf({ thought, text, finished, usage }: JournalRecord, start: number, bytes: number): JournalEntry {
  const answer = extractAnswer(text, 'strict')?.value ?? null;
  return { answer, finished, usage, lengths: { thought: thought.length, text: text.length }, start, bytes };
}

function lockJournal(folder: string) {
  try {
    return acquireLock(folder);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'locked') throw error;
    throw new UserError('another process is already requesting these chains', {
      file: folder,
      code: 'locked',
      remedy: 'Wait for it or stop it; or write to another file with --out.',
      cause: error,
    });
  }
}
