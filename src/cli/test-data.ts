/** Which problems `evaluate` asks. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DataSource, Experiment } from '../config/experiment';
import { loadExperiment } from '../config/load';
import type { RunConfig } from '../curriculum/run-config';
import { arithmeticDefaults } from '../data/arithmetic';
import { guessFormat } from '../data/guess';
import { loadData } from '../data/load';
import type { Dataset } from '../data/types';
import { UserError } from '../errors';
import { readConfig, runOfCheckpoint } from '../runs/reading';
import { experimentFile } from './places';

export interface TestOptions {
  data?: string;
  format?: DataSource['format'];
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
 * The problems that are asked for: a dataset's, an experiment's test problems, the generator's, or, where nothing is asked for, the
 * test problems of the run that the checkpoint lies in.
 */
export function loadTestData(checkpoint: string, options: TestOptions): TestData {
  const { source, evaluation } = choose(checkpoint, options);
  const count = Math.min(source.count ?? options.limit ?? Infinity, options.limit ?? Infinity);
  const limited = Number.isFinite(count) ? { ...source, count } : source;
  return { ...loadData(limited as DataSource, '.', 'test'), source: limited as DataSource, evaluation };
}

function choose(
  checkpoint: string,
  { data, format, limit, seed }: TestOptions,
): Pick<TestData, 'source' | 'evaluation'> {
  if (data === undefined && format !== 'arithmetic') {
    const run = runOfCheckpoint(resolve(checkpoint));
    if (!run)
      throw new UserError('there is nothing to test on', {
        file: checkpoint,
        code: 'usage',
        remedy:
          'Name a dataset or an experiment with --data. (Only for a checkpoint inside a run, its test data is the default.)',
      });
    const { experiment } = readConfig(run) as RunConfig;
    return { source: experiment.data.test, evaluation: experiment.evaluation };
  }
  if (format === 'arithmetic' || data === 'arithmetic') {
    const { operations, maxValue } = arithmeticDefaults;
    return { source: { format: 'arithmetic', seed, count: limit ?? arithmeticCount, start: 0, operations, maxValue } };
  }
  const path = data as string;
  const experiment = experimentAt(path);
  if (experiment) return { source: experiment.data.test, evaluation: experiment.evaluation };
  return { source: { format: format ?? guessFormat(path), path: resolve(path), start: 0 } };
}

/** The experiment that a path means, a file or a folder; null for a dataset. */
export function experimentAt(path: string): Experiment | null {
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  return folder || path.endsWith('.distillery.json') ? loadExperiment(experimentFile(path)).experiment : null;
}
