/** Which problems `evaluate` asks. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DataSource, Experiment } from '../config/experiment';
import { loadExperiment } from '../config/load';
import { readRunConfig } from '../curriculum/run-config';
import { arithmeticDefaults } from '../data/arithmetic';
import type { Dataset } from '../data/dataset';
import { loadData } from '../data/load';
import { UserError } from '../errors';
import { runOfCheckpoint } from '../runs/reading';
import { type DatasetOptions, loadAsked, sourceOf } from './dataset';
import { experimentFile } from './places';

export interface TestOptions extends Omit<DatasetOptions, 'format'> {
  data?: string;
  format?: DataSource['format'];
  json?: boolean;
  limit?: number;
  seed: number;
}

export interface TestData extends Dataset {
  source: DataSource;
  /** How answers are asked for where the problems come from, if that is said. */
  evaluation?: Partial<Experiment['evaluation']>;
}

/** Stories made for a test where nobody says how many. */
const arithmeticCount = 200;

/**
 * The problems that are asked for: a dataset's, an experiment's test problems, the generator's, or, where nothing is
 * asked for, the test problems of the run that the checkpoint lies in. Null where somebody says that bad rows are not
 * to be left out.
 */
export async function loadTestData(checkpoint: string, options: TestOptions): Promise<TestData | null> {
  const { source, evaluation } = await choose(checkpoint, options);
  const count = Math.min(source.count ?? options.limit ?? Infinity, options.limit ?? Infinity);
  const limited = Number.isFinite(count) ? { ...source, count } : source;
  const asked = limited as DataSource;
  const data =
    asked.format === 'arithmetic'
      ? loadData(asked, '.', 'test')
      : await loadAsked(asked, { split: 'test', quiet: options.json });
  return data && { ...data, source: asked, evaluation };
}

async function choose(
  checkpoint: string,
  { data, format, limit, seed, ...options }: TestOptions,
): Promise<Pick<TestData, 'source' | 'evaluation'>> {
  if (data === undefined && format !== 'arithmetic') {
    const run = runOfCheckpoint(resolve(checkpoint));
    if (!run)
      throw new UserError('there is nothing to test on', {
        file: checkpoint,
        code: 'usage',
        remedy:
          'Name a dataset or an experiment with --data. (Only for a ' +
          'checkpoint inside a run, its test data is the default.)',
      });
    const { experiment } = readRunConfig(run);
    return { source: experiment.data.test, evaluation: experiment.evaluation };
  }
  if (format === 'arithmetic' || data === 'arithmetic') {
    const { operations, maxValue } = arithmeticDefaults;
    return { source: { format: 'arithmetic', seed, count: limit ?? arithmeticCount, start: 0, operations, maxValue } };
  }
  const path = data as string;
  const experiment = experimentAt(path);
  if (experiment) return { source: experiment.data.test, evaluation: experiment.evaluation };
  return { source: await sourceOf(path, { ...options, format }) };
}

/** The experiment that a path means, a file or a folder; null for a dataset. */
export function experimentAt(path: string): Experiment | null {
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  return folder || path.endsWith('.distillery.json') ? loadExperiment(experimentFile(path)).experiment : null;
}
