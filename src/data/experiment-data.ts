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
  /** Notes for the user before training starts. */
  notes: string[];
}

/** The problems for training and test of an experiment. Its paths are absolute. */
export function loadExperimentData(
  { data, stages }: Pick<Experiment, 'data' | 'stages'>,
  progress?: (rows: number) => void,
): ExperimentData {
  const notes: string[] = [];
  const part = (name: 'train' | 'test'): Dataset => {
    const dataset = loadData(data[name], '.', name, progress);
    for (const note of datasetNotes(dataset, data)) notes.push(`${name} data: ${note}`);
    dataset.problems = taughtProblems(dataset.problems, data);
    return dataset;
  };
  const [train, test] = [part('train'), part('test')];
  notes.push(...sameQuestionNotes(train.problems, test.problems, data.validation));
  notes.push(...recordedNotes(train, stages.rewrite ? stages.rewrite.failures.source : false));
  return { train, test, notes };
}

/** Recorded answers are used only if the experiment asks for them; then there must be some. */
function recordedNotes({ problems, file }: Dataset, source: 'student' | 'data' | undefined | false): string[] {
  const recorded = recordedIn(problems);
  if (source === 'data' && recorded === 0)
    throw new UserError("no training row has a student's answer, which stages.rewrite.failures.source asks for", {
      file,
      code: 'dataset',
      remedy: 'Set it to "student", or use rows with "student": {"text": ...}.',
    });
  if (source === false || source === 'data' || recorded === 0) return [];
  return [
    `${recorded} training rows have a recorded answer of some student; Stage 3 samples this one ` +
      'and ignores them (stages.rewrite.failures.source "data" uses them).',
  ];
}
