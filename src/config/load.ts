import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../errors';
import { locateDataset, locateStudent, missingDataset, missingStudent } from '../hub/cache';
import { isDatasetFile, patternIn } from '../hub/dataset-files';
import { datasetNameText } from '../hub/dataset-name';
import { studentNameText } from '../hub/name';
import { readSmallText } from '../lines';
import { isFolder, whatIs } from '../paths';
import { type Checked, checkExperiment, checkReward } from './check';
import { modulesIn, withModule } from './code-module';
import { isCode } from './components';
import {
  type Experiment,
  type ExperimentInput,
  experimentSchema,
  type GrpoBaselineSettings,
  type ParsedExperiment,
} from './experiment';
import { ConfigError, type FileIssue, type Finding, type Path } from './issue';
import { isPreset, preset } from './presets';
import type { RewardConfig } from './reward';
import { type ChangedSetting, namingSource, withSettings } from './set';
import { loraFindings, resolveLora, sizeFindings } from './student-size';
import { suggest } from './suggest';
import { learningRates, optimizationOfGrpo, type SupervisedSettings, supervisedDefaults } from './training';

/**
 * Reads an experiment: defaults filled in, paths made absolute (they are relative to the file), rewards loaded; `quick`
 * applies its quick settings, and `set` changes single ones. @throws ConfigError with all errors
 */
export function loadExperiment(
  path: string,
  { quick, set = [] }: { quick?: boolean; set?: readonly ChangedSetting[] } = {},
): { experiment: Experiment; warnings: FileIssue[] } {
  const text = readConfig(path, 'experiment');
  const checkWith = (settings: typeof set) =>
    checkExperiment(withSettings(text, settings, quick), { quick, find: modulesIn(dirname(path), dirname(path)) });
  const checked = checkWith(set);
  const missing = checked.readable ? fileFindings(checked.readable, dirname(path)) : [];
  const found = [...checked.issues, ...missing.map(checked.place)];
  const issues = found.map((issue) => ({ ...namingSource(issue, set), file: path }));
  const { stages, ...rest } = settle({ ...checked, issues });
  // `--set baselines.sft=false` leaves the other baselines the settings of plain SFT.
  const kept = set.filter(({ path: changed }) => changed.join('.') !== 'baselines.sft');
  const written = kept.length < set.length ? checkWith(kept).value?.baselines.sft : undefined;
  const experiment = resolveExperiment({ ...rest, stages }, dirname(path), written || undefined);
  const rewardFiles = [rewardFile(stages.complete), rewardFile(stages.rewrite)].filter((file) => file !== null);
  const rewardWarnings = [...new Set(rewardFiles)].flatMap(
    (file) => loadReward(resolve(dirname(path), file), dirname(path)).warnings,
  );
  return { experiment, warnings: [...issues, ...rewardWarnings] };
}

/**
 * Reads a reward config; the paths of its modules become absolute. `root` is the folder of the experiment that names
 * it. @throws ConfigError with all errors
 */
export function loadReward(path: string, root?: string): { reward: RewardConfig; warnings: FileIssue[] } {
  const checked = checkReward(readConfig(path, 'reward config'), modulesIn(dirname(path), root));
  const issues = checked.issues.map((issue) => ({ ...issue, file: path }));
  const { $schema: _, ...written } = settle({ ...checked, issues });
  const reward = withModules(written, dirname(path));
  return {
    reward: { ...reward, name: reward.name ?? basename(path).replace(/(\.reward)?\.json$/, '') },
    warnings: issues,
  };
}

/**
 * Completes a valid experiment; relative paths are resolved against `folder`. `defaults` are for the supervised
 * baselines when plain SFT is off. Idempotent.
 */
export function resolveExperiment(
  file: ExperimentInput | ParsedExperiment | Experiment,
  folder: string,
  defaults: SupervisedSettings = supervisedDefaults(),
): Experiment {
  const { $schema: _schema, quick: _quick, ...parsed } = experimentSchema().parse(file);
  const { reconstruct, complete, rewrite } = parsed.stages;
  const { sft, sftConcise, rft, grpo } = parsed.baselines;
  const path = locateStudent(parsed.student.path, folder);
  const student = { ...parsed.student, path, lora: resolveLora(parsed.student.lora, path) };
  const trained = student.lora ? 'adapter' : 'whole';
  const scheduled = <T extends ScheduleInput>(stage: T, rates = learningRates.supervised) => ({
    ...stage,
    learningRate: stage.learningRate ?? rates[trained],
    evaluateEvery: stage.evaluateEvery ?? parsed.evaluation.every,
  });
  /** All supervised baselines share one budget. */
  const asSft = <T extends object>(given: T) => ({ ...(sft || defaults), ...given });
  const rewarded = <T extends ScheduleInput & { reward: string | RewardConfig }>(stage: T) => ({
    ...scheduled(stage, learningRates.grpo),
    reward: resolveReward(stage.reward, folder),
  });
  const source = <T extends object>(data: T): T =>
    'path' in data ? { ...data, path: locateDataset(data.path as string, folder) } : data;
  return {
    ...parsed,
    student,
    data: { ...parsed.data, train: source(parsed.data.train), test: source(parsed.data.test) },
    stages: {
      reconstruct: reconstruct && scheduled(reconstruct),
      complete: complete && rewarded(complete),
      rewrite: rewrite && { ...rewarded(rewrite), internalise: scheduled(rewrite.internalise) },
    },
    baselines: {
      sft: sft && scheduled(sft),
      sftConcise: sftConcise && scheduled(asSft(sftConcise)),
      rft: rft && scheduled(asSft(rft)),
      // Without Stage 2 this baseline has no settings (experiment-findings.ts).
      grpo: grpo && complete && { ...optimizationOf(scheduled(complete, learningRates.grpo)), ...grpo },
    },
  };
}

function optimizationOf(settings: GrpoBaselineSettings): GrpoBaselineSettings {
  const names = Object.keys(optimizationOfGrpo()) as (keyof GrpoBaselineSettings)[];
  return Object.fromEntries(names.map((name) => [name, settings[name]])) as GrpoBaselineSettings;
}

interface ScheduleInput {
  evaluateEvery?: number;
  learningRate?: number;
}

/** A reward in an experiment: preset, path, or inline config. */
export function resolveReward(reward: string | RewardConfig, folder: string): RewardConfig {
  if (typeof reward !== 'string') return withModules(reward, folder);
  return isPreset(reward) ? preset(reward) : loadReward(resolve(folder, reward), folder).reward;
}

const withModules = (reward: RewardConfig, folder: string): RewardConfig => ({
  ...reward,
  components: reward.components.map((one) => (isCode(one) ? withModule(one, folder) : one)),
});

function settle<T>({ issues, value }: Pick<Checked<T>, 'value'> & { issues: FileIssue[] }): T {
  if (value === undefined || issues.some(({ severity }) => severity === 'error')) throw new ConfigError(issues);
  return value;
}

function readConfig(path: string, what: string): string {
  try {
    return readSmallText(path);
  } catch (cause) {
    if (cause instanceof UserError && cause.cause === undefined) throw cause; // too large, or not a file
    const code = ((cause as Error).cause as NodeJS.ErrnoException)?.code;
    let reason = `It cannot be read (${code})`;
    if (code === 'ENOENT') reason = whatIs(path) ? `This is ${whatIs(path)}` : 'There is no such file';
    else if (code === 'EISDIR') reason = 'This is a folder';
    throw new UserError(`${reason}: the ${what} ${path}.`, {
      file: path,
      remedy: didYouMean(similar(path, 'file')) ?? `Give the path of the ${what}.`,
      code: 'missing',
      cause,
    });
  }
}

/** Checks that every file named by an experiment in `folder` exists. */
export function fileFindings({ student, data, stages }: ParsedExperiment, folder: string): Finding[] {
  const found: Finding[] = [];
  const expect = (path: Path, file: string, kind: 'file' | 'folder', remedy: string) => {
    const full = resolve(folder, file);
    const there = whatIs(full);
    if (there === `a ${kind}`) return;
    const meant = similar(full, kind);
    found.push({
      severity: 'error',
      path,
      message: there ? `${full} is ${there}, not a ${kind}.` : `The ${kind} ${full} does not exist.`,
      remedy: didYouMean(meant) ?? remedy,
      replacement:
        meant === null ? undefined : JSON.stringify(`${file.replace(/[^\\/]*[\\/]?$/, '')}${basename(meant)}`),
    });
  };
  const relative = 'Paths are relative to this file.';
  const named = missingStudent(student.path, folder);
  if (named)
    found.push({
      severity: 'error',
      path: ['student', 'path'],
      message:
        `There is no folder ${resolve(folder, student.path)}, and the ` +
        `model ${studentNameText(named)} is not on this machine.`,
      remedy: `Download it with \`distillery download ${studentNameText(named)}\`, or run with --download.`,
    });
  else if (!existsSync(locateStudent(student.path, folder)))
    expect(
      ['student', 'path'],
      student.path,
      'folder',
      `A student is a Hugging Face folder, a .gguf file or the name of a model on the Hub. ${relative}`,
    );
  found.push(...loraFindings(student.lora, resolve(folder, student.path)));
  found.push(...sizeFindings(resolve(folder, student.path), [data.train.format, data.test.format]));
  for (const name of ['train', 'test'] as const) {
    const source = data[name];
    if (!('path' in source) || isDataset(locateDataset(source.path, folder))) continue;
    const place = ['data', name, 'path'];
    const missing = similar(resolve(folder, source.path), 'file') === null && missingDataset(source.path, folder);
    if (missing)
      found.push({
        severity: 'error',
        path: place,
        message:
          `There is no file or folder ${source.path}, and the dataset ` +
          `${datasetNameText(missing)} of the Hub is not on this machine.`,
        remedy:
          `Download it with \`distillery download --dataset ${datasetNameText(missing)}\`, ` +
          'or run with --download.',
      });
    else expect(place, source.path, 'file', relative);
  }
  for (const name of ['complete', 'rewrite'] as const) {
    const file = rewardFile(stages[name]);
    if (file) expect(['stages', name, 'reward'], file, 'file', relative);
  }
  return found;
}

/** A folder of files that is not a student, or a pattern. Single files are checked elsewhere. */
function isDataset(path: string): boolean {
  if (isFolder(path))
    return (
      !existsSync(join(path, 'config.json')) &&
      readdirSync(path, { recursive: true }).some((name) => isDatasetFile(`${name}`))
    );
  return !existsSync(path) && patternIn(path) !== null;
}

type SampledStage = ParsedExperiment['stages']['complete' | 'rewrite'];
/** The reward file that a stage names, if any. */
const rewardFile = (stage: SampledStage) =>
  stage && typeof stage.reward === 'string' && !isPreset(stage.reward) ? stage.reward : null;

/** Another file or folder beside it with a name similar to that of the missing one. */
function similar(path: string, kind: 'file' | 'folder'): string | null {
  try {
    const [stem, ...ending] = basename(path).split('.');
    const like = readdirSync(dirname(path))
      .map((name) => name.split('.'))
      .filter(([name, ...parts]) => name !== stem && parts.join('.') === ending.join('.'));
    const meant = suggest(
      stem,
      like.map(([name]) => name),
    );
    const found = meant && join(dirname(path), [meant, ...ending].join('.'));
    return found && whatIs(found) === `a ${kind}` ? found : null;
  } catch {
    return null; // the folder does not exist either
  }
}

const didYouMean = (path: string | null) => path && `Did you mean ${path}?`;
