import { UserError } from '../errors';
import { sizeOf } from '../paths';
import { type BadRows, badRowsError, listedBadRows, placeText } from './bad-rows';
import { bridgeProblem } from './bridge';
import { problemOf } from './by-columns';
import { chainsProblem } from './chains';
import { type Columns, isNamed, type SettledColumns, settleColumns } from './columns';
import { filesOf, isParted, type Split, stemOf } from './files';
import { gsm8kProblem } from './gsm8k';
import { isUsualColumn, isVerdictColumn } from './names';
import { Collector, type Problems } from './problems';
import { asRow, datasetError, type Row, type RowPlace, type RowRange } from './rows';
import { rowsOf } from './sources/kind';
import type { RowSource, Spot } from './sources/source';
import type { Problem } from './types';

export type FileFormat = 'rows' | 'chains' | 'gsm8k' | 'bridge' | 'parquet';

export interface ReadOptions extends RowRange {
  columns?: Columns;
  /** Skip unusable rows. */
  skipBad?: boolean;
  /** For a folder whose files are named by split. */
  split?: Split;
  /** Called from time to time with the number of rows. */
  progress?: (rows: number) => void;
}

export interface ReadProblems {
  files: string[];
  problems: Problems;
  columns?: SettledColumns;
  /** The split of the rows, if a folder or file has several. */
  split?: Split;
  bad?: BadRows;
}

/** Converts a row to a problem; `id` is for rows without one. */
type ToProblem = (row: Row, place: RowPlace, id: string) => Problem;

/**
 * The problems of a file, a folder of files, or the files matching a pattern. @throws UserError for missing or empty
 * files, for unusable rows (one error that lists the first ones) unless they may be skipped, and when columns cannot be
 * determined
 */
export function readProblems(path: string, format: FileFormat, options: ReadOptions = {}): ReadProblems {
  const { start = 0, count = Number.POSITIVE_INFINITY, skipBad = false, progress, split = 'train' } = options;
  const files = filesOf(path, split);
  const sources = files.map((file) => ({ file, source: rowsOf(file, split), stem: stemOf(file, files) }));
  const columns = byColumns(format) ? settled(path, sources, options.columns) : undefined;
  const toProblem: ToProblem = columns
    ? (row, place, id) => problemOf(row, columns, place, id)
    : mappers[format as keyof typeof mappers];

  const collector = new Collector(files.reduce((sum, file) => sum + sizeOf(file), 0));
  const faults = new Faults();
  const ids = new Map<string, RowPlace>();
  let [rows, usable] = [0, 0];
  for (const { source, stem } of sources) {
    const first = rows;
    const make = mapping(toProblem, stem);
    const read = source.again && rereading(make, source.again);
    const from = sources.length === 1 && !skipBad ? start : 0;
    for (const found of source.rows(from, columns && namesIn(source, columns))) {
      const index = first + Math.max(0, found.index);
      if (collector.length >= count) break;
      rows = Math.max(rows, index + 1);
      if (!skipBad && found.index >= 0 && index < start) continue;
      if (rows % 1000 === 0) progress?.(rows);
      try {
        if (found.fault) throw found.fault;
        const problem = make(found.row, found.place, found.index);
        checkId(problem, ids, found.place);
        if (skipBad && usable++ < start) continue; // skipped rows do not count
        collector.add(problem, read && found.spot && { read, spot: found.spot });
      } catch (error) {
        faults.add(found.place, error);
      }
    }
  }
  if (sources.length === 1 && rows <= start) rows = Math.max(rows, sources[0].source.count ?? 0);
  const bad = faults.all(Math.max(usable, collector.length));
  if (bad && (!skipBad || collector.length === 0)) throw badRowsError(bad);
  if (collector.length === 0)
    throw datasetError(
      rows === 0 ? 'the dataset is empty' : `no rows are left: the file has ${rows}, but ${start} are skipped`,
      { file: path },
      rows === 0 ? 'Use a file with at least one row.' : 'Lower "start".',
    );
  const parted = isParted(path, files, split) || sources.some(({ source }) => source.split === split);
  return {
    files,
    problems: collector.problems(),
    ...(columns && { columns }),
    ...(parted && { split }),
    ...(bad && { bad }),
  };
}

// Top-level functions, as closures created in the loop would keep the row alive.
const mapping = (toProblem: ToProblem, stem: string) => (row: unknown, place: RowPlace, index: number) =>
  toProblem(asRow(row, place), place, `${stem}-${index}`);
const rereading = (make: ReturnType<typeof mapping>, again: NonNullable<RowSource['again']>) => (spot: Spot) => {
  const { row, place } = again(spot);
  return make(row, place, spot.index);
};

const mappers = { chains: chainsProblem, gsm8k: gsm8kProblem, bridge: bridgeProblem } satisfies Record<
  string,
  ToProblem
>;

const byColumns = (format: FileFormat) => !Object.hasOwn(mappers, format);

/** Columns are determined from this many rows. */
const sampled = 20;

/** The first usable rows of the first file with rows. */
export function firstRows(sources: readonly { source: RowSource }[], columns: Columns = {}): Row[] {
  const found: Row[] = [];
  for (const { source } of sources)
    for (const row of source.rows(
      0,
      source.columns?.filter((name) => isUsualColumn(name) || isNamed(name, columns)),
    )) {
      if (!row.fault && typeof row.row === 'object' && row.row !== null && !Array.isArray(row.row))
        found.push(row.row as Row);
      if (found.length === sampled) return found;
    }
  return found;
}

/** The first rows of a dataset, with all their columns. */
export function peek(path: string): { names: string[]; rows: Row[] } {
  const source = rowsOf(filesOf(path, 'train')[0]);
  const rows = firstRows([{ source }]);
  return { names: [...new Set([...(source.columns ?? []), ...rows.flatMap((row) => Object.keys(row))])], rows };
}

function settled(
  path: string,
  sources: { source: RowSource }[],
  given: Columns | undefined,
): SettledColumns | undefined {
  const rows = firstRows(sources, given);
  if (rows.length > 0) return settleColumns({ file: path, names: sources[0].source.columns }, rows, given);
  // Nothing can be guessed without rows; reading reports the error.
  return { question: [given?.question ?? 'question'].flat(), answer: given?.answer ?? 'answer' };
}

/** The columns that are needed from a source. */
const namesIn = ({ columns: names }: RowSource, columns: SettledColumns) =>
  names?.filter((name) => isNamed(name, columns) || isVerdictColumn(name));

function checkId({ id }: Problem, ids: Map<string, RowPlace>, place: RowPlace): void {
  const earlier = ids.get(id);
  if (earlier)
    throw datasetError(
      `the id "${id}" is already on ${placeText(earlier)}`,
      place,
      'Every row needs an id of its own.',
    );
  ids.set(id, place);
}

/** Counts unusable rows. */
class Faults {
  private count = 0;
  private readonly first: BadRows['first'] = [];

  /** @throws errors that are not about the row */
  add(place: RowPlace, error: unknown): void {
    if (!(error instanceof UserError)) throw error;
    this.count++;
    if (this.first.length < listedBadRows) this.first.push({ place, error });
  }

  all(good: number): BadRows | undefined {
    return this.count > 0 ? { count: this.count, rows: this.count + good, first: this.first } : undefined;
  }
}
