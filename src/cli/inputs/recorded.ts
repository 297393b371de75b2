/** Recorded completions with their problems, to score them again. */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { readRunConfig } from '../../curriculum/run-config';
import { loadData } from '../../data/load';
import type { Problems } from '../../data/problems';
import { UserError } from '../../errors';
import { locateDataset } from '../../hub/cache';
import { statOf } from '../../paths';
import { type Scorable as ScorableOf, toScorables } from '../../rewards/recorded';
import { readRecords } from '../../runs/jsonl';
import { rolloutsFile, runFile } from '../../runs/layout';
import { readRollouts, rolloutSteps } from '../../runs/reading';
import { type RolloutRecord, rolloutRecordSchema } from '../../runs/records';
import type { StageName } from '../../stages';
import { largest, smallest } from '../../statistics';
import { sourceAt } from './dataset';
import { locateRun, shortPath } from './places';
import { experimentAt } from './test-data';

export interface CompletionChoice {
  stage?: StageName;
  step?: number;
  /** The number of updates, counted back from the newest. */
  updates: number;
  /** A dataset or experiment with the problems, for completions outside of a run. */
  data?: string;
  runs?: string;
}

export type ScorableRollout = ScorableOf<RolloutRecord>;

export interface RecordedCompletions {
  /** The folder or file of the completions. */
  files: string[];
  completions: ScorableRollout[];
}

/** Completions of a file of rollouts, or of the newest updates of a run. */
export function readRecorded(source: string, choice: CompletionChoice): RecordedCompletions {
  const file = statOf(source)?.isFile() || source.endsWith('.jsonl');
  const { files, rollouts, run } = file ? completionsOfFile(resolve(source)) : ofRun(source, choice);
  if (rollouts.length === 0)
    throw new UserError('there are no completions here', {
      file: files[0] ?? source,
      code: 'dataset',
      remedy: 'Give rollouts/<stage>/<step>.jsonl of a run.',
    });
  const problems = problemsOf(run, choice.data, files[0]);
  return {
    files,
    completions: toScorables(rollouts, problems, { remedy: 'Restore the data, or name it with --data.' }),
  };
}

function completionsOfFile(file: string): { files: string[]; rollouts: RolloutRecord[]; run?: string } {
  if (!existsSync(file)) throw new UserError('no such file', { file, code: 'missing', remedy: 'Check the path.' });
  const folder = dirname(file);
  const run = dirname(dirname(folder));
  const inRun = basename(dirname(folder)) === 'rollouts' && existsSync(runFile(run));
  return { files: [file], rollouts: readRecords(file, rolloutRecordSchema), run: inRun ? run : undefined };
}

function ofRun(name: string, { stage, step, updates, runs }: CompletionChoice) {
  const { folder } = locateRun(name, runs);
  const all = rolloutSteps(folder);
  const last = stage ?? all.at(-1)?.stage;
  const chosen = all.filter((one) => one.stage === last && (step === undefined || one.step === step)).slice(-updates);
  if (chosen.length === 0)
    throw new UserError(
      all.length === 0
        ? 'the run has no rollouts yet'
        : `the run has no rollouts of ${[stage, step].filter((part) => part !== undefined).join(' ')}`,
      {
        file: folder,
        code: 'run',
        remedy:
          all.length === 0
            ? 'Stage 2 produces rollouts.'
            : `Available: ${[...new Set(all.map((one) => one.stage))].map((name) => range(name, all)).join(', ')}.`,
      },
    );
  return {
    files: chosen.map((one) => rolloutsFile(folder, one.stage, one.step)),
    rollouts: chosen.flatMap((one) => readRollouts(folder, one.stage, one.step)),
    run: folder,
  };
}

function range(stage: StageName, all: { stage: StageName; step: number }[]): string {
  const steps = all.filter((one) => one.stage === stage).map(({ step }) => step);
  return `${stage} ${smallest(steps)} to ${largest(steps)}`;
}

/** The problems: from the named dataset, or from the run's training data. */
function problemsOf(run: string | undefined, data: string | undefined, file: string): Problems {
  if (data === undefined && run === undefined)
    throw new UserError('these completions are outside of a run, so their problems are unknown', {
      file,
      code: 'usage',
      remedy: 'Name the dataset with --data, or score the file inside its run.',
    });
  const experiment = data === undefined ? readRunConfig(run!).experiment : experimentAt(data);
  const source = experiment ? experiment.data.train : sourceAt(locateDataset(data!, '.'), {});
  return loadData(source, '.', 'train').problems;
}

export const shownFiles = (files: readonly string[]) =>
  files.length <= 2
    ? files.map(shortPath).join(', ')
    : `${shortPath(files[0])} to ${shortPath(files[files.length - 1])}`;
