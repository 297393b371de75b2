/** The part of an experiment's file that views need, readable even while the file is being edited and invalid. */
import { basename, dirname, join, resolve } from 'node:path';
import { parse } from 'jsonc-parser';
import { isObject } from '../../json';
import { readSmallText } from '../../lines';
import { runsFolderName } from '../../runs/layout';
import { type TrainedStage, trainedStages } from '../../stages';
import { cached } from './file-cache';

export interface ExperimentFile {
  /** Absolute. */
  file: string;
  /** Used in the names of its runs. */
  name: string;
  description?: string;
  /** Folder of its runs: `.distillery/runs` beside the file. */
  runs: string;
  /** Absolute path of the initial student; undefined if the file has none. */
  student?: string;
  /** Stages that are not switched off. */
  stages: TrainedStage[];
  /** Whether it has a reduced budget. */
  quick: boolean;
}

export const experimentSuffix = '.distillery.json';

/** Maximum size in bytes, as the file is read without a click when its folder is opened. */
const mostOfExperiment = 2 << 20;

const read = cached((file) => parseExperiment(file, readSmallText(file, mostOfExperiment)), 500);

/** The experiment in a file. Where the text cannot be parsed, the file name gives the experiment's name. */
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
