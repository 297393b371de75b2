/** The datasets that can be tested: those of experiments, and files of chains on their own. */
import { basename, dirname } from 'node:path';
import { checkExperiment } from '../../config/check';
import type { DataSource, ParsedExperiment } from '../../config/experiment';
import { guessFormat } from '../../data/guess';
import type { Problems } from '../../data/problems';
import { UserError } from '../../errors';
import type { AnswerSettings } from '../../evaluation/settings';
import { locateDataset } from '../../hub/cache';
import { loadNamedData } from '../workspace/named-files';
import { rowLines } from './lines';

type SuiteName = 'test' | 'validation' | 'train' | 'file';

export interface Suite {
  name: SuiteName;
  /** Its paths are absolute. */
  source: DataSource;
  /** Settings of the generator. */
  split: 'train' | 'test';
  /** The file of the problems; undefined where they are generated. */
  file?: string;
  /** The experiment that names it. */
  experiment?: string;
  /** Settings that are absent are chosen by the host. */
  settings: Partial<AnswerSettings>;
  /** The prompt format of the experiment's student; hosts use it, servers do not. */
  asked?: Pick<ParsedExperiment['student'], 'prompt' | 'system'>;
  /** The range of the source's problems in this suite: first, and one past the last. */
  part(count: number): [from: number, to: number];
}

/**
 * The suites of an experiment, split as its runs split them: test problems, validation rows, training rows. @throws
 * UserError when the experiment has errors
 */
export function suitesOfExperiment(file: string, text: string): Suite[] {
  const { value, issues } = checkExperiment(text);
  if (!value) {
    const { message, line, column, remedy } = issues.find(({ severity }) => severity === 'error')!;
    throw new UserError(message, { file, line, column, remedy, code: 'config' });
  }
  const { data, evaluation, seed, student } = value;
  const { maxNewTokens, temperature, count } = evaluation;
  const common = { experiment: file, settings: { maxNewTokens, temperature, seed }, asked: student };
  const [train, test] = [data.train, data.test].map((source) => absolute(source, dirname(file)));
  const kept = (rows: number) => Math.max(0, rows - data.validation);
  return [
    { ...common, ...placed(test, 'test'), name: 'test', part: (rows) => [0, Math.min(rows, count ?? rows)] },
    { ...common, ...placed(train, 'train'), name: 'validation', part: (rows) => [kept(rows), rows] },
    { ...common, ...placed(train, 'train'), name: 'train', part: (rows) => [0, kept(rows)] },
  ];
}

function absolute(source: DataSource, folder: string): DataSource {
  return 'path' in source ? { ...source, path: locateDataset(source.path, folder) } : source;
}

const placed = (source: DataSource, split: Suite['split']) => ({
  source,
  split,
  file: 'path' in source ? source.path : undefined,
});

/** All rows of a file. @throws UserError when its format is unknown */
export function suiteOfFile(file: string, split: Suite['split'] = 'train'): Suite {
  const source: DataSource = { format: guessFormat(file), path: file, start: 0 };
  return { name: 'file', ...placed(source, split), settings: {}, part: (rows) => [0, rows] };
}

/** The problems of a suite, each with its line (from 0) in the file or in the document of generated ones. */
export interface Loaded {
  problems: Problems;
  lines: readonly number[];
}

/** `textOf` returns the text of the suite's file. @throws UserError when it cannot be read */
export function loadSuite(suite: Suite, textOf: (file: string) => string | undefined): Loaded {
  const all = loadNamedData(suite.source, '.', suite.split).problems;
  const lines = linesOf(suite, all.length, textOf);
  const [from, to] = suite.part(all.length);
  return { problems: all.slice(from, to), lines: lines.slice(from, to) };
}

function linesOf(
  { file, source }: Suite,
  rows: number,
  textOf: (file: string) => string | undefined,
): readonly number[] {
  if (file === undefined) return Array.from({ length: rows }, (_, i) => i);
  // Other formats, and tables in one object, have no lines, or more lines than rows.
  const none = new Array<number>(rows).fill(0);
  if (!/\.(jsonl|ndjson|json)$/i.test(file) || ('skipBad' in source && source.skipBad)) return none;
  const lines = rowLines(source, textOf(file) ?? '');
  return lines.length < rows ? none : lines;
}

/** The name of a suite for records: letters, digits, `.`, `_`, `-`. */
export function recordName({ name, file }: Suite): string {
  const stem = name === 'file' ? basename(file!).replace(/(\.chains)?\.[^.]*$/, '') : name;
  return stem.replace(/[^\w.-]+/g, '-').slice(0, 60) || 'file';
}
