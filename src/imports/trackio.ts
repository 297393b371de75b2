/**
 * Trackio's store: a SQLite database for each project, with metrics, tables of completions and traces of every run. It
 * is only read.
 */
import { closeSync, copyFileSync, existsSync, mkdtempSync, readSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { datasetError, type Row } from '../data/rows';
import { UserError } from '../errors';
import { openForReading } from '../lines';
import { statOf } from '../paths';
import { parsePython } from './rows';

export interface TrackioRun {
  id: string;
  name: string;
}

/** One log entry of a run. */
export interface TrackioEntry {
  /** The trainer's update if it is logged; else Trackio's own count of logs. */
  step: number;
  metrics: Record<string, unknown>;
  rows: Row[];
  place: string;
}

/** Runs of a store, oldest first. @throws UserError when the file is damaged or not a store of Trackio */
export async function trackioRuns(file: string): Promise<TrackioRun[]> {
  return reading(file, (query) => {
    const tables = ['metrics', ...(hasTable(query, 'traces') ? ['traces'] : [])];
    const ids = query<{ id: string; name: string }>(
      tables
        .map((table) => `SELECT ${idOf(query, table)} id, run_name name, timestamp FROM ${table}`)
        .join(' UNION ALL '),
      'SELECT id, name, min(timestamp) at FROM (',
      ') GROUP BY id ORDER BY at',
    );
    return [...ids].map(({ id, name }) => ({ id, name }));
  });
}

/** All log entries of a run, by step. */
export async function trackioEntries(file: string, run: TrackioRun): Promise<TrackioEntry[]> {
  return reading(file, (query) => {
    const entries: TrackioEntry[] = [];
    for (const { id, step, metrics } of query<{ id: number; step: number; metrics: string }>(
      `SELECT id, step, metrics FROM metrics WHERE ${idOf(query, 'metrics')} = ${quoted(run.id)} ORDER BY id`,
    ))
      entries.push(entryOf(file, `metrics ${id}`, step, metrics));
    if (hasTable(query, 'traces'))
      for (const { id, step, messages, metadata } of query<
        Record<'id' | 'messages' | 'metadata', string> & { step: number }
      >(`SELECT id, step, messages, metadata FROM traces WHERE run_id = ${quoted(run.id)} ORDER BY timestamp, rowid`))
        entries.push({
          step,
          metrics: {},
          rows: traceRows({ step, messages, metadata }, file, `trace ${id}`),
          place: `trace ${id}`,
        });
    return withoutRepeats(entries).sort((a, b) => a.step - b.step);
  });
}

/** TRL logs the last table again at the end of training. */
function withoutRepeats(entries: readonly TrackioEntry[]): TrackioEntry[] {
  let last = '';
  return entries.map((entry) => {
    if (entry.rows.length === 0) return entry;
    const text = JSON.stringify(entry.rows);
    const again = text === last;
    last = text;
    return again ? { ...entry, rows: [] } : entry;
  });
}

/** JSON is stored as text or as its bytes. */
const textOf = (cell: unknown) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('utf8') : String(cell));

function entryOf(file: string, place: string, step: number, text: string): TrackioEntry {
  const values = parsePython(textOf(text), { file }) as Record<string, unknown>;
  const rows: Row[] = [];
  const metrics: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values ?? {})) {
    const table = value as { _type?: unknown; _value?: unknown } | null;
    if (table?._type === 'trackio.table' && Array.isArray(table._value)) rows.push(...(table._value as Row[]));
    else metrics[key] = value;
  }
  const update = metrics['train/global_step'] ?? rows[0]?.step;
  return { step: typeof update === 'number' ? update : step, metrics, rows, place };
}

interface Trace {
  step: number;
  messages: string;
  metadata: string;
}

/**
 * A conversation as a row: everything before the first message of the assistant is the prompt, the rest the completion.
 */
function traceRows({ step, messages, metadata }: Trace, file: string, place: string): Row[] {
  const said = parsePython(textOf(messages), { file });
  if (!Array.isArray(said))
    throw datasetError(`${place} has no messages`, { file }, 'Export the run from Trackio again.');
  const at = said.findIndex((one) => (one as { role?: unknown } | null)?.role === 'assistant');
  if (at < 1) return []; // there is no answer
  const facts = parsePython(textOf(metadata), { file }) as Row;
  return [{ ...facts, step, prompt: said.slice(0, at), completion: said.slice(at) }];
}

type Query = <T>(sql: string, before?: string, after?: string) => Iterable<T>;

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Early stores identify runs by name only. */
function idOf(query: Query, table: string): string {
  const columns = [...query<{ name: string }>(`SELECT name FROM pragma_table_info(${quoted(table)})`)];
  return columns.some(({ name }) => name === 'run_id') ? 'run_id' : 'run_name';
}

const hasTable = (query: Query, name: string) =>
  [...query(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ${quoted(name)}`)].length > 0;

async function reading<T>(file: string, use: (query: Query) => T): Promise<T> {
  const { Database } = await import('node-sqlite3-wasm');
  const copied = usesWal(file);
  const folder = copied ? copyOf(file) : linkTo(file);
  try {
    const db = new Database(join(folder, basename(file)), { readOnly: !copied });
    try {
      // Without shared memory, SQLite reads a write-ahead log only with exclusive access, as to the copy here.
      if (copied) db.exec('PRAGMA locking_mode=EXCLUSIVE');
      const query: Query = (sql, before = '', after = '') => db.all(`${before}${sql}${after}`) as never[];
      if (!hasTable(query, 'metrics'))
        throw datasetError(
          'this is not a database of Trackio: it has no metrics',
          { file },
          'Name <project>.db of TRACKIO_DIR.',
        );
      return use(query);
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw datasetError(
      `the database cannot be read: ${(error as Error).message}`,
      { file },
      'Copy it while nothing is writing to it, and try again.',
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Bytes 18 and 19 of the header are 2 where a database is written through a write-ahead log
 * (sqlite.org/fileformat2.html).
 */
function usesWal(file: string): boolean {
  const handle = openForReading(file);
  try {
    const head = Buffer.alloc(20);
    return readSync(handle, head, 0, 20, 0) === 20 && head[18] === 2;
  } finally {
    closeSync(handle);
  }
}

/**
 * The library creates a lock beside the file it opens, so it opens a link in a temporary folder: nothing is written in
 * the store's folder.
 */
function linkTo(file: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-trackio-'));
  try {
    symlinkSync(resolve(file), join(folder, basename(file)));
  } catch {
    copyFileSync(file, join(folder, basename(file))); // on Windows most users may not create links
  }
  return folder;
}

/**
 * A copy of the store, as reading a write-ahead log writes to it. Copied again if the store changes meanwhile.
 */
function copyOf(file: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-trackio-'));
  const log = logOf(file);
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = stampOf(file);
    copyFileSync(file, join(folder, basename(file)));
    rmSync(join(folder, basename(log)), { force: true });
    if (existsSync(log)) copyFileSync(log, join(folder, basename(log)));
    if (before === stampOf(file)) break;
  }
  return folder;
}

/** The write-ahead log of a database, whose size may stay the same while it is written to. */
const logOf = (file: string) => `${file}-wal`;

/** A stamp that changes whenever a file, or the write-ahead log of a database, is written to. */
export function stampOf(file: string): string {
  return [file, logOf(file)]
    .map(statOf)
    .map((stat) => (stat ? `${stat.size} ${stat.mtimeMs}` : ''))
    .join(';');
}
