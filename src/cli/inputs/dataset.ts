/**
 * The dataset options of commands: `--format`, `--columns`, `--skip-bad`. Unusable rows are shown before they are
 * skipped.
 */
import { type Command, Option } from 'commander';
import type { DataSource } from '../../config/experiment';
import { badRowsError, badRowsText } from '../../data/bad-rows';
import { type ColumnRole, type Columns, columnsText, roles, severalColumns } from '../../data/columns';
import type { Dataset } from '../../data/dataset';
import { type FileFormat, fileFormats, guessFormat } from '../../data/guess';
import { loadData } from '../../data/load';
import { UserError } from '../../errors';
import { locateDataset, missingDataset } from '../../hub/cache';
import { datasetNameText } from '../../hub/dataset-name';
import { askConsent } from '../terminal/consent';
import { inOneLine, pc, stderr } from '../terminal/terminal';
import { fetchMissingDataset } from './fetch';
import { pairsOf } from './options';

export interface DatasetOptions {
  format?: FileFormat;
  columns?: Columns;
  skipBad?: boolean;
  download?: boolean;
}

export type FileSource = Exclude<DataSource, { format: 'arithmetic' }>;

/** Adds the options to a command; `formats` adds formats that are not those of files. */
export function datasetOptions(command: Command, formats: readonly string[] = []): Command {
  return command
    .addOption(
      new Option('--format <name>', 'format of the dataset (default: detected from its first row)').choices([
        ...fileFormats,
        ...formats,
      ]),
    )
    .option(
      '--columns <list>',
      'role of each column, such as question=problem,chain=solution; roles: ' +
        `${roles.join(', ')} (default: guessed from common names)`,
      columnsOf,
    )
    .option('--skip-bad', 'skip unusable rows without asking')
    .option('--download', 'download a missing dataset of the Hugging Face Hub without asking');
}

/** `question=problem,chain=solution`; several columns of question or choices with a plus between. */
function columnsOf(text: string, before: Columns = {}): Columns {
  const columns = { ...before };
  const what = `one of ${roles.map((one) => `${one}=NAME`).join(', ')}`;
  for (const [key, name] of pairsOf(text, isRole, what)) {
    const role = key as ColumnRole;
    if (isSeveral(role)) columns[role] = name.includes('+') ? name.split('+') : name;
    else columns[role] = name;
  }
  return columns;
}

const isSeveral = (role: ColumnRole): role is 'question' | 'choices' => severalColumns.includes(role);

const isRole = (text: string): text is ColumnRole => (roles as readonly string[]).includes(text);

/**
 * The source named by a path, or by a dataset of the Hub, and the options. A missing dataset is downloaded after
 * consent. @throws UserError when there is no such source
 */
export async function datasetSource(text: string, options: DatasetOptions & { json?: boolean }): Promise<FileSource> {
  await fetchMissingDataset(text, '.', { yes: options.download, json: options.json });
  const missing = missingDataset(text, '.');
  if (missing)
    throw new UserError('there is no such file', {
      file: text,
      code: 'missing',
      remedy:
        'For a dataset of the Hugging Face Hub: distillery download ' +
        `--dataset ${datasetNameText(missing)}, or add --download to this command.`,
    });
  return sourceAt(locateDataset(text, '.'), options);
}

/** The same for a file, folder or pattern. */
export function sourceAt(file: string, { format, columns, skipBad }: DatasetOptions): FileSource {
  const common = { path: file, start: 0, ...(skipBad && { skipBad }) };
  if (columns) return { format: format === 'parquet' ? format : 'rows', ...common, columns };
  return { format: format ?? guessFormat(file), ...common };
}

/**
 * Loads a source, with progress on a terminal. Lists unusable rows and skips them after consent;
 * null when the user declines. @throws UserError for unusable rows when there is no terminal to ask on
 */
export async function loadAsked(
  source: FileSource,
  { split = 'train', quiet = false }: { split?: 'train' | 'test'; quiet?: boolean } = {},
): Promise<Dataset | null> {
  const progress = readingProgress(source.path, quiet);
  const dataset = loadData({ ...source, skipBad: true }, '.', split, progress.rows);
  progress.end();
  const { bad, columns } = dataset;
  if (bad && !source.skipBad) {
    if (!process.stdin.isTTY || !stderr.isTTY) throw badRowsError(bad);
    stderr.write(`${bad.count} of ${bad.rows} rows cannot be used:\n  ${badRowsText(bad, '\n  ')}\n`);
    if (!(await askConsent('Skip them and continue?', false))) return null;
  }
  if (columns && !quiet) stderr.write(`${pc.dim(`Columns: ${columnsText(columns)}`)}\n`);
  return dataset;
}

/** Number of rows read so far, on a terminal, when it takes more than a second. */
export const readingProgress = (name: string, quiet = false) =>
  counting((count) => `Reading ${name} … ${count.toLocaleString('en')} rows`, quiet);

/** A progress line on a terminal, shown when work takes more than a second. */
export function counting(text: (count: number) => string, quiet = false) {
  let [shown, next] = [false, performance.now() + 1000];
  return {
    rows(count: number) {
      if (quiet || !stderr.isTTY || performance.now() < next) return;
      next = performance.now() + 250;
      shown = true;
      stderr.clearLine();
      stderr.write(pc.dim(inOneLine(text(count))));
    },
    end() {
      if (shown) stderr.clearLine();
    },
  };
}
