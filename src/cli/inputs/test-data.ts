/** Chooses the problems for `evaluate`. */
import { resolve } from 'node:path';
import type { DataSource, Experiment } from '../../config/experiment';
import { loadExperiment } from '../../config/load';
import { readRunConfig } from '../../curriculum/run-config';
import { arithmeticDefaults } from '../../data/arithmetic';
import type { Dataset } from '../../data/dataset';
import { loadData } from '../../data/load';
import { UserError } from '../../errors';
import { isFolder } from '../../paths';
import { runOfCheckpoint } from '../../runs/reading';
import { type DatasetOptions, datasetSource, loadAsked } from './dataset';
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
  /** The prompt format of the source of the problems, if it has one. */
  evaluation?: Partial<Experiment['evaluation']>;
}

/** Number of generated stories, unless given. */
const arithmeticCount = 200;

/**
 * The requested problems: of a dataset, of an experiment's test data, or of the generator; without a request, the test
 * problems of the checkpoint's run. Null when the user declines to skip bad rows.
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
          'Give a dataset or an experiment with --data. (A checkpoint ' +
          'inside a run is tested on its test data by default.)',
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
  return { source: await datasetSource(path, { ...options, format }) };
}

/** The experiment at a path (a file or a folder); null for a dataset. */
export function experimentAt(path: string): Experiment | null {
  return isFolder(path) || path.endsWith('.distillery.json') ? loadExperiment(experimentFile(path)).experiment : null;
}
