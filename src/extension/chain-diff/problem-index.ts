/**
 * An index of each problem's records in a run's files, built without parsing them: a run may have gigabytes of
 * rollouts.
 */
import { existsSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type * as z from 'zod';
import { openForReadingAsync, parseJson } from '../../lines';
import { check } from '../../runs/jsonl';
import { evaluationFile, failuresFile, rewritesFile, rolloutsFile } from '../../runs/layout';
import { evaluationNames, rolloutSteps } from '../../runs/reading';
import type { StageName } from '../../stages';
import { stampOf } from '../workspace/file-cache';

/** A file of records with problem ids. */
export type RecordFile =
  | { kind: 'rollouts'; stage: StageName; step: number; file: string }
  | { kind: 'evaluation'; name: string; file: string }
  | { kind: 'failures'; file: string }
  | { kind: 'rewrites'; file: string };

export interface Located<T> {
  record: T;
  file: string;
  line: number;
}

/** Two numbers a line, and nothing else: a gigabyte may be a million of them. */
interface FileIndex {
  /** Where each line begins, in bytes. */
  starts: number[];
  /** The lines of each problem, from 1. */
  problems: Map<string, number[]>;
}

const chunkBytes = 1 << 20;
/** Keys are written in schema order, so the problem id is among a record's first bytes. */
const headBytes = 512;

export class ProblemIndex {
  private readonly files = new Map<string, FileIndex & { stamp: string; source: RecordFile }>();

  constructor(readonly run: string) {}

  /**
   * Indexes the new and changed files that `wanted` selects, and forgets deleted ones. True if anything changed.
   */
  async refresh(wanted: (source: RecordFile) => boolean = () => true): Promise<boolean> {
    const sources = sourcesOf(this.run);
    const present = new Set(sources.map(({ file }) => file));
    let changed = false;
    for (const file of [...this.files.keys()]) if (!present.has(file)) changed = this.files.delete(file);
    for (const source of sources.filter(wanted)) {
      const stamp = stampOf(source.file);
      if (this.files.get(source.file)?.stamp === stamp) continue;
      this.files.set(source.file, { stamp, source, ...(await indexFile(source.file)) });
      changed = true;
    }
    return changed;
  }

  sources(problemId: string): RecordFile[] {
    return [...this.files.values()].flatMap(({ source, problems }) => (problems.has(problemId) ? [source] : []));
  }

  /** All problems of a file without duplicates, in file order. */
  problems(file: string): string[] {
    return [...(this.files.get(file)?.problems.keys() ?? [])];
  }

  /** Every problem of the run, failures first. */
  allProblems(): string[] {
    const rank = { failures: 0, rewrites: 1, rollouts: 2, evaluation: 3 };
    const files = [...this.files.values()].sort((a, b) => rank[a.source.kind] - rank[b.source.kind]);
    return [...new Set(files.flatMap(({ problems }) => [...problems.keys()]))];
  }

  /** The records of a problem in a file. @throws UserError for a line that does not match the schema */
  async read<T>(file: string, problemId: string, schema: z.ZodType<T>): Promise<Located<T>[]> {
    const { starts = [], problems } = this.files.get(file) ?? {};
    const lines = problems?.get(problemId) ?? [];
    if (lines.length === 0) return [];
    const handle = await openForReadingAsync(file);
    try {
      const records: Located<T>[] = [];
      for (const line of lines) {
        const at = { file, line };
        const text = await readText(handle, starts[line - 1], starts[line] - 1);
        const value = parseJson(text, { ...at, code: 'run' });
        records.push({ record: check(schema, value, at), ...at });
      }
      return records;
    } finally {
      await handle.close();
    }
  }
}

async function readText(handle: FileHandle, start: number, end: number): Promise<string> {
  const bytes = Buffer.alloc(end - start);
  await handle.read(bytes, 0, bytes.length, start);
  return bytes.toString('utf8');
}

function sourcesOf(run: string): RecordFile[] {
  const sources: RecordFile[] = [
    { kind: 'failures', file: failuresFile(run) },
    { kind: 'rewrites', file: rewritesFile(run) },
    ...rolloutSteps(run).map(({ stage, step }): RecordFile => {
      return { kind: 'rollouts', stage, step, file: rolloutsFile(run, stage, step) };
    }),
    ...evaluationNames(run).map((name): RecordFile => ({ kind: 'evaluation', name, file: evaluationFile(run, name) })),
  ];
  return sources.filter(({ file }) => existsSync(file));
}

async function indexFile(file: string): Promise<FileIndex> {
  const problems = new Map<string, number[]>();
  const starts = [0];
  const handle = await openForReadingAsync(file);
  try {
    const chunk = Buffer.alloc(chunkBytes);
    let offset = 0;
    let head = '';
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunkBytes, offset);
      if (bytesRead === 0) break;
      let from = 0;
      while (from < bytesRead) {
        if (head.length < headBytes)
          head += chunk.toString('latin1', from, Math.min(bytesRead, from + headBytes - head.length));
        const end = chunk.indexOf(10, from);
        if (end < 0 || end >= bytesRead) break;
        const id = problemIn(head);
        // A line without an id near its start is not one of ours. It is reported when the whole file is read.
        if (id !== null) {
          const lines = problems.get(id) ?? [];
          problems.set(id, lines);
          lines.push(starts.length);
        }
        from = end + 1;
        starts.push(offset + from);
        head = '';
      }
      offset += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return { starts, problems };
}

function problemIn(head: string): string | null {
  const match = /"problemId":\s*("(?:[^"\\]|\\.)*")/.exec(head.split('\n', 1)[0]);
  return match ? (JSON.parse(Buffer.from(match[1], 'latin1').toString('utf8')) as string) : null;
}
