import type { Experiment } from '../config/experiment';
import { UserError } from '../errors';
import type { Dataset } from './dataset';
import { loadData } from './load';
import { datasetNotes } from './notes';
import { recordedIn } from './problems';
import { sameQuestionNotes } from './same-questions';
import { taughtProblems } from './taught';

export interface ExperimentData {
  train: Dataset;
  test: Dataset;
  /** What the user should know before anything is trained. */
  notes: string[];
}

/** The problems that a run of the experiment learns from and is tested on. Paths in it are absolute. */
export function loadExperimentData(
  { data, stages }: Pick<Experiment, 'data' | 'stages'>,
  progress?: (rows: number) => void,
): ExperimentData {
  const notes: string[] = [];
  const part = (name: 'train' | 'test'): Dataset => {
    const dataset = loadData(data[name], '.', name, progress);
    for (const note of datasetNotes(dataset, data.otherAnswers)) notes.push(`${name} data: ${note}`);
    dataset.problems = taughtProblems(dataset.problems, data);
    return dataset;
  };
  const [train, test] = [part('train'), part('test')];
  notes.push(...sameQuestionNotes(train.problems, test.problems, data.validation));
  notes.push(...recordedNotes(train, stages.rewrite ? stages.rewrite.failures.source : false));
  return { train, test, notes };
}

/** Recorded answers are a student's own only where the experiment says so; where it does, there must be some. */
function recordedNotes({ problems, file }: Dataset, source: 'student' | 'data' | undefined | false): string[] {
  const recorded = recordedIn(problems);
  if (source === 'data' && recorded === 0)
    throw new UserError("no training row has a student's answer, which stages.rewrite.failures.source asks for", {
      file,
      code: 'dataset',
      remedy: 'Set it to "student", or give rows with "student": {"text": ...}.',
    });
  if (source === false || source === 'data' || recorded === 0) return [];
  return [
    `${recorded} training rows have a recorded answer of some student; Stage 3 asks this one ` +
      'and does not look at them (stages.rewrite.failures.source "data" takes them).',
  ];
}
