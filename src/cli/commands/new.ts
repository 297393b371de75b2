import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { checkExperiment } from '../../config/check';
import { loadExperiment } from '../../config/load';
import { resolveLora } from '../../config/student-size';
import { inWords } from '../../curriculum/duration';
import type { Need } from '../../curriculum/training/memory';
import { guardDisk } from '../../disk';
import { embeddedMemory } from '../../engine/engines';
import { hasEngine } from '../../engine/process/installed';
import { UserError } from '../../errors';
import { packageRoot } from '../../paths';
import { baseFolder, loadStudentConfig, loadStudentTokenizer, withWeights } from '../../student-files/folder';
import { ggufAt } from '../../student-files/gguf/student';
import { otherFamily } from '../../student-files/other-family';
import { withPrompts } from '../../student-files/prompting';
import { holdsWeights, openWeights } from '../../student-files/weights';
import { createFile, makeFolder } from '../../writing';
import { studentAt } from '../inputs/asked-student';
import { type DatasetOptions, datasetOptions } from '../inputs/dataset';
import { commandLine, quoted, shortPath } from '../inputs/places';
import { budgetsText } from '../new-experiment/budgets';
import { familyNeeds, familyNote } from '../new-experiment/new-family';
import { arithmeticFiles, datasetFiles, type ExperimentPlace, link } from '../new-experiment/new-files';
import {
  fittingQuick,
  fittingSize,
  type QuickSize,
  quickLimit,
  quickSeconds,
  type Size,
  usualSize,
} from '../new-experiment/new-size';
import { type Survey, surveyDataset } from '../new-experiment/survey';
import { printDocument } from '../terminal/exit';
import { columns } from '../terminal/format';
import { pc, stdout } from '../terminal/terminal';
import { type EngineFacts, engineFacts, needsOf, needsText } from '../text/run-needs';

interface Options extends DatasetOptions {
  data?: string;
  test?: string;
  student?: string;
  name?: string;
  json?: boolean;
}

export function addNewCommand(program: Command): void {
  const command = program
    .command('new')
    .description('create an experiment that is ready to run: the built-in arithmetic, or one on your data')
    .argument('<folder>', 'its folder; nothing in it is overwritten')
    .option(
      '--data <path>',
      'your problems with teacher chains: JSON lines, JSON, CSV, Parquet or Arrow; a file, a folder or a pattern',
    )
    .option('--test <file>', 'test problems (default: the test file beside --data, or its last rows)')
    .option(
      '--student <student>',
      'a Hugging Face folder, .gguf file or downloaded model (default: a copy of the built-in one)',
    )
    .option('--name <name>', "name of the experiment (default: the folder's)")
    .option('--json', 'what was written as one JSON object');
  datasetOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  distillery new my-experiment
  distillery new gsm8k --data gsm8k/train.jsonl --student ./Qwen2.5-0.5B
  distillery new r1 --data 'OpenR1-Math/*.parquet' --columns question=problem,chain=generations,answer=answer`,
    )
    .action(writeExperiment);
}

async function writeExperiment(path: string, options: Options): Promise<void> {
  const folder = resolve(path);
  const name = options.name ?? (basename(folder) || 'experiment');
  const tiny = options.student === undefined;
  const builtIn = join(packageRoot(), 'examples', 'arithmetic', 'student');
  const from = resolve(options.student ? studentAt(options.student) : builtIn);
  // These throw before anything is written.
  const tokenizer = withPrompts(loadStudentTokenizer(from), {});
  refuseDamagedWeights(baseFolder(from));
  // A model of the Hub is kept by name, which is valid on every machine.
  let student = options.student || 'student';
  if (options.student && existsSync(options.student)) student = link(folder, from);
  const family = otherFamily(from);
  const maxPositions = family?.positions ?? loadStudentConfig(from).maxPositions;
  const own = { maxPositions, tokenizer, builtIn: tiny };
  const survey = options.data ? await surveyDataset(options.data, { ...options, quiet: options.json }, own) : null;
  if (options.data && !survey) return;
  const place = { folder, name, student, onTorch: family !== null };
  const backend = family ? 'torch' : 'auto';
  const engine = survey && (await engineFacts({ backend, student: { path: from, lora: resolveLora('auto', from) } }));
  const files = survey && engine ? fittedFiles(place, survey, { from, tiny, engine }) : arithmeticFiles(place);
  const [first] = Object.keys(files);
  refuseFaulty(files[first]);
  refuseTaken(path, folder, [...Object.keys(files), ...(options.student ? [] : ['student'])]);
  guardDisk(folder, 'the experiment is not complete', () => {
    makeFolder(folder, folder);
    for (const [file, text] of Object.entries(files)) createFile(folder, join(folder, file), text);
    if (!options.student) copyStudent(from, folder);
  });

  const experiment = join(folder, first);
  const { experiment: made, warnings } = loadExperiment(experiment);
  const withoutEngine = family !== null && !hasEngine();
  const needs: Need[] = family ? familyNeeds(family, !withoutEngine) : [];
  if (survey && engine && !withoutEngine) needs.push(...needsOf(made, engine, survey.lengths, survey.work));
  if (survey && engine?.speed && !tiny) needs.push(quickNeed(experiment, survey, engine.speed));
  const notes = [
    ...(family ? [familyNote(family, !withoutEngine)] : []),
    ...tokenizer.notes,
    ...(survey?.notes ?? []),
    ...warnings.map(({ message, remedy }) => (remedy ? `${message} ${remedy}` : message)),
  ];
  if (!options.json) {
    const facts = [...(survey ? budgetsText(survey.budgets) : []), ...needsText(needs)];
    stdout.write(`${newReportText(folder, files, { copied: tiny, withoutEngine, facts, notes })}\n`);
    return;
  }
  printDocument({
    folder,
    experiment,
    files: Object.keys(files),
    student: from,
    ...(survey?.columns && { columns: survey.columns }),
    ...(survey && { budgets: survey.budgets.table, chains: survey.budgets.measured }),
    ...(needs.length > 0 && { needs: needs.map(({ text }) => text) }),
    notes,
  });
}

/** Invalid files are never written: a given name or path may not fit. */
function refuseFaulty(experiment: string): void {
  const fault = checkExperiment(experiment).issues.find(({ severity }) => severity === 'error');
  if (fault) throw new UserError(fault.message, { code: 'config', remedy: fault.remedy });
}

function refuseTaken(path: string, folder: string, files: readonly string[]): void {
  const taken = files.filter((file) => existsSync(join(folder, file)));
  if (taken.length > 0)
    throw new UserError(`the folder already has ${taken.join(', ')}, and nothing is overwritten`, {
      file: path,
      code: 'exists',
      remedy: 'Choose another folder or another --name.',
    });
}

/**
 * Refuses weights that cannot be opened. A folder may have none, as a Tinker server has its own, or weights of a family
 * that only PyTorch supports.
 */
function refuseDamagedWeights(student: string): void {
  if (ggufAt(student) !== null) withWeights(student, () => {});
  else if (holdsWeights(student)) openWeights(student).close();
}

/** A copy of the built-in student, which the experiment refers to. */
function copyStudent(from: string, folder: string): void {
  const student = join(folder, 'student');
  makeFolder(folder, student);
  for (const name of readdirSync(from)) createFile(folder, join(student, name), readFileSync(join(from, name)));
}

/** Sizes follow the memory of this machine, and those of the quick run its speed, if that is known. */
function fittedFiles(
  place: ExperimentPlace,
  survey: Survey,
  { from, tiny, engine }: { from: string; tiny: boolean; engine: EngineFacts },
): Record<string, string> {
  // The built-in student fits anywhere, and is copied into the folder later.
  if (tiny) return datasetFiles(place, survey, { tiny });
  const text = (size: Size) => Object.values(datasetFiles(place, survey, { size }))[0];
  const { speed } = engine;
  const model = engine.model ?? (place.onTorch ? null : embeddedMemory(from));
  const size = model ? fittingSize(text, place.folder, { model, lengths: survey.lengths }) : usualSize;
  if (!speed) return datasetFiles(place, survey, { size });
  const write = (quick: QuickSize) => text({ ...size, quick });
  const quick = fittingQuick(write, place.folder, { work: survey.work, speed });
  return datasetFiles(place, survey, { size: { ...size, quick } });
}

/** How long the quick run takes, roughly. */
function quickNeed(file: string, { work }: Survey, speed: number): Need {
  const seconds = quickSeconds(loadExperiment(file, { quick: true }).experiment, work, speed);
  const text = `A quick run takes roughly ${inWords(seconds)}`;
  if (seconds <= quickLimit) return { level: 'info', text };
  return { level: 'warning', text: `${text} even with the smallest budget; a smaller student takes less time.` };
}

const purposes: [RegExp, string][] = [
  [/\.distillery\.json$/, 'student, data, stages, evaluation'],
  [/\.reward\.json$/, 'the reward of sampled stages'],
  [/^README/, 'how to use it'],
];

interface NewReport {
  /** The folder has a copy of the built-in student. */
  copied: boolean;
  /** The student's engine is still to be set up. */
  withoutEngine: boolean;
  facts: readonly string[];
  notes: readonly string[];
}

function newReportText(folder: string, files: Record<string, string>, report: NewReport): string {
  const { copied, withoutEngine, facts, notes } = report;
  const rows = Object.keys(files).map((file) => [file, purposes.find(([pattern]) => pattern.test(file))?.[1] ?? '']);
  if (copied) rows.push(['student/', 'the built-in student']);
  const place = quoted(shortPath(folder));
  return [
    pc.bold(shortPath(folder)),
    ...columns(
      rows.map(([file, purpose]) => [`  ${file}`, pc.dim(purpose)]),
      2,
    ),
    ...(facts.length > 0 ? ['', ...facts] : []),
    ...notes.map((note) => pc.yellow(`! ${note}`)),
    '',
    'Next:',
    ...(withoutEngine ? [`  ${commandLine('engine install')}`] : []),
    `  ${commandLine(`preview ${place}`)}`,
    `  ${commandLine(`run ${place} --quick`)}`,
  ].join('\n');
}
