/** What the views need to know of an experiment's file, even while it is being edited and not valid. */
import { basename, dirname, join, resolve } from 'node:path';
import { parse } from 'jsonc-parser';
import { isObject } from '../json';
import { readSmallText } from '../lines';
import { runsFolderName } from '../runs/layout';
import { type TrainedStage, trainedStages } from '../stages';
import { cached } from './file-cache';

export interface ExperimentFile {
  /** Absolute. */
  file: string;
  /** As its runs are named. */
  name: string;
  description?: string;
  /** Where its runs go: `.distillery/runs` beside it. */
  runs: string;
  /** Absolute path of the student it begins with; undefined if the file does not say. */
  student?: string;
  /** Stages that are not switched off. */
  stages: TrainedStage[];
  /** Whether it has a cut-down budget. */
  quick: boolean;
}

export const experimentSuffix = '.distillery.json';

/** Bytes: it is read without a click, when its folder is opened. */
const mostOfExperiment = 2 << 20;

const read = cached((file) => parseExperiment(file, readSmallText(file, mostOfExperiment)), 500);

/** The experiment in a file; the file's name speaks where its text cannot be read. */
export function readExperiment(file: string): ExperimentFile {
  return read(file).value ?? parseExperiment(file, '');
}

export function parseExperiment(file: string, text: string): ExperimentFile {
  const value: unknown = parse(text, [], { allowTrailingComma: true });
  const root = isObject(value) ? value : {};
  const string = (found: unknown) => (typeof found === 'string' && found !== '' ? found : undefined);
  const student = isObject(root.student) ? string(root.student.path) : undefined;
  const stages = isObject(root.stages) ? root.stages : {};
  return {
    file,
    name: string(root.name) ?? basename(file, experimentSuffix),
    description: string(root.description),
    runs: join(dirname(file), runsFolderName),
    student: student && resolve(dirname(file), student),
    stages: trainedStages.filter((stage) => stages[stage] !== false),
    quick: isObject(root.quick),
  };
}
