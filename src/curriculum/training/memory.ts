/** Estimates an experiment's memory before it runs, and derives settings from it. */

import type { Experiment, GrpoSettings } from '../../config/experiment';
import { defaultLora } from '../../config/lora';
import { longest, type Problems, spread } from '../../data/problems';
import {
  type Learner,
  type Memory,
  type MemoryLimits,
  type MemoryModel,
  type PassSize,
  totalOf,
} from '../../engine-data/memory';
import { UserError } from '../../errors';
import { Random } from '../../random';
import { type BaselineName, baselineNames } from '../../stages';
import type { Tokenizer } from '../../student-files/tokenizer';
import { gigabytes } from '../../words';
import { completeExercise, type Lesson, prepareLessons, wording } from '../lessons/lessons';
import { rowsAtOnce } from './groups';

/** Maximum lengths over the rows, in tokens. */
export interface Lengths {
  question: number;
  /** The teacher's chain with its thinking: the target, and part of Stage 3's prompts. */
  chain: number;
  /** A question with all steps visible, as in Stages 1 and 2: without the thinking. */
  exercise: number;
}

/** The inputs of the memory estimate. */
export interface Sizes {
  /** The engine's memory model of the student. */
  model: MemoryModel;
  lengths: Lengths;
}

/** The peak of memory: where in the run, and in which activity. */
export interface MemoryPeak {
  stage: string;
  activity: 'training' | 'sampling' | 'testing';
  memory: Memory;
  /** All of `memory`, including Node itself. */
  bytes: number;
}

const mostTokens = 8192;
const leastTokens = 256;
/** Node with the engine, the tokenizer and the data, and idle memory of the pools. */
const runtimeBytes = 250e6;

/**
 * Number of rows that are tokenized, and their characters; all rows would take as long as training does to begin. Of
 * very long rows the first few are enough: the next ones are hardly longer.
 */
const measured = 16;
const measuredCharacters = 600_000;
const leastMeasured = 4;

/**
 * Candidates are the rows with the longest text, those longest without thinking (which may be others),
 * and a sample spread over all rows.
 */
export function longestOf(problems: Problems, tokenizer: Tokenizer): Lengths {
  const longer = longest(problems, 8 * measured);
  const most = prepareLessons(longer.slice(0, measured), tokenizer);
  const shown = (lesson: Lesson) => lesson.chain?.steps.reduce((sum, step) => sum + step.length, 0) ?? 0;
  const some = prepareLessons([...longer, ...spread(problems, 8 * measured)], tokenizer);
  const sizes = some.map((lesson) => ({ lesson, size: shown(lesson) }));
  const ofSteps = sizes.sort((a, b) => b.size - a.size).slice(0, measured);
  const lessons = withinSize(ofSteps.flatMap(({ lesson }, i) => (i < most.length ? [most[i], lesson] : [lesson])));
  const exercise = (lesson: Lesson) => completeExercise(lesson, 0, tokenizer, new Random(1)).length;
  return {
    question: Math.max(1, ...lessons.map(({ prompt }) => prompt.length)),
    chain: Math.max(1, ...lessons.map(({ teacherTokens }) => teacherTokens?.length ?? 0)),
    exercise: Math.max(1, ...lessons.map(exercise)),
  };
}

/** Each row once, as many as may be tokenized. */
function withinSize(candidates: readonly Lesson[]): Lesson[] {
  let characters = 0;
  const once = [...new Map(candidates.map((lesson) => [lesson.problem.id, lesson])).values()];
  return once.filter(({ problem: { question, chain = '' } }, i) => {
    characters += question.length + chain.length;
    return i < leastMeasured || characters <= measuredCharacters;
  });
}

/** The longest rows for training, and the longest prompts for sampling. */
function longestRows({ stages: { complete, rewrite } }: Experiment, { question, chain, exercise }: Lengths) {
  // Masked steps may be a little longer than visible ones.
  const masked = exercise + wording;
  const shown = question + chain + wording;
  const plain = question + chain;
  return {
    sft: plain,
    sftConcise: plain,
    rft: plain,
    internalise: question + Math.max(chain, rewrite ? rewrite.maxNewTokens : 0),
    reconstruct: masked + chain,
    grpo: question + (complete ? complete.maxNewTokens : 0),
    complete: masked + (complete ? complete.maxNewTokens : 0),
    rewrite: shown + (rewrite ? rewrite.maxNewTokens : 0),
    prompts: { grpo: question, complete: masked, rewrite: shown },
  };
}

type SupervisedBatch = { batch: number; accumulation: number };
type SampledBatch = Pick<GrpoSettings, 'prompts' | 'group' | 'maxNewTokens'>;

interface Setting {
  microBatchTokens: number | 'auto';
  checkpointing: boolean | 'auto';
}

/** The experiment with numbers in place of "auto". Its run records them, so that it is resumed with the same. */
export function settleMemory(experiment: Experiment, { model, lengths }: Sizes): Experiment {
  const learner = learnerOf(experiment, 0);
  const fits = (tokens: number, again: boolean) =>
    model.update(learner, passOf(tokens, again)).activations <= model.budget;
  const rows = longestRows(experiment, lengths);
  return mapStages(experiment, (settings, name) => ({ ...settings, ...settled(fits, settings, rows[name]) }));
}

type Fits = (tokens: number, checkpointing: boolean) => boolean;

function settled(fits: Fits, { microBatchTokens, checkpointing }: Setting, longest: number) {
  const again = checkpointing === 'auto' ? !fits(longest, false) : checkpointing;
  let tokens = mostTokens;
  while (tokens > leastTokens && !fits(tokens, again)) tokens /= 2;
  return { checkpointing: again, microBatchTokens: microBatchTokens === 'auto' ? tokens : microBatchTokens };
}

const passOf = (tokens: number, checkpointing: boolean): PassSize => ({
  tokens,
  targets: tokens,
  checkpointing,
  accumulated: true,
});

const learnerOf = ({ student }: Experiment, copies: number): Learner => ({ lora: student.lora || null, copies });

/**
 * The settings of a stage in the form that training takes. @throws Error when "auto" was not resolved before the run
 * began
 */
export function memorySettings({ microBatchTokens, checkpointing }: Setting) {
  if (microBatchTokens === 'auto' || checkpointing === 'auto') throw new Error('Memory settings are not settled');
  return { microBatchTokens, checkpointing };
}

/** For an engine without a memory model: assumes that `mostTokens` fit and that one longest sequence does not. */
function settleUnknown(experiment: Experiment): Experiment {
  const fits = (tokens: number) => tokens <= mostTokens;
  return mapStages(experiment, (settings) => ({ ...settings, ...settled(fits, settings, Number.POSITIVE_INFINITY) }));
}

export type Need = { level: 'info' | 'warning'; text: string };

/**
 * The experiment with its memory settings resolved for student and rows, and the message of `checkMemory`. `model` is
 * the engine's memory model; null where it has none, and there is no message.
 */
export function withMemory(
  experiment: Experiment,
  lengths: Lengths,
  model: MemoryModel | null,
): { experiment: Experiment; need: Need | null } {
  if (!model) return { experiment: settleUnknown(experiment), need: null };
  const sizes = { model, lengths };
  const settled = settleMemory(experiment, sizes);
  return { experiment: settled, need: checkMemory(settled, sizes, model.limits()) };
}

/**
 * Compares the need of a resolved experiment with this machine. @throws UserError when the machine can never have as
 * much; if the memory is only in use at the moment, returns a warning
 */
export function checkMemory(experiment: Experiment, sizes: Sizes, limits: MemoryLimits | null): Need {
  const peak = peakOf(experiment, sizes);
  const needs = `needs about ${gigabytes(peak.bytes)} of memory (${peak.stage}, ${peak.activity})`;
  if (!limits || peak.bytes <= limits.free) return { level: 'info', text: needs };
  const advice = remedies(experiment, sizes, limits.free);
  const remedy = advice.length > 0 ? `Try ${advice.join(', or ')}.` : 'Use a smaller student, or a larger machine.';
  if (peak.bytes > limits.total)
    throw new UserError(`the run ${needs}, and there are only ${gigabytes(limits.total)}`, { code: 'memory', remedy });
  return { level: 'warning', text: `the run ${needs}, ${gigabytes(limits.free)} are free: ${remedy}` };
}

/** The sequences of an update, the tokens of the longest, and the number of copies of the student. */
interface UpdateSize {
  longest: number;
  sequences: number;
  copies: number;
}

export function peakOf(experiment: Experiment, { model, lengths }: Sizes): MemoryPeak {
  const { stages, baselines, evaluation } = experiment;
  const peaks: MemoryPeak[] = [];
  const add = (stage: string, activity: MemoryPeak['activity'], memory: Memory) =>
    peaks.push({ stage, activity, memory, bytes: totalOf(memory) + runtimeBytes });
  const learner = (copies: number) => learnerOf(experiment, copies);
  const training = (stage: string, settings: Setting, { longest, sequences, copies }: UpdateSize) => {
    const all = sequences * longest;
    const tokens = Math.min(Math.max(settings.microBatchTokens as number, longest), all);
    const accumulated = all > tokens;
    const pass = { ...passOf(tokens, settings.checkpointing as boolean), accumulated };
    add(stage, 'training', model.update(learner(copies), pass));
  };
  const longest = longestRows(experiment, lengths);
  const supervise = (stage: string, settings: Setting & SupervisedBatch, row: number, copies: number) =>
    training(stage, settings, { longest: row, sequences: settings.batch * settings.accumulation, copies });
  for (const name of baselineNames) {
    const settings = baselines[name];
    if (settings && 'batch' in settings) supervise(name, settings, longest[name], 1);
  }
  const { reconstruct, complete, rewrite } = stages;
  if (reconstruct) supervise('reconstruct', reconstruct, longest.reconstruct, 0);
  const sampling = (stage: string, settings: SampledBatch, promptTokens: number, copies: number) => {
    const { prompts, maxNewTokens } = settings;
    const generation = { rows: rowsAtOnce(settings), prompts, promptTokens, newTokens: maxNewTokens };
    add(stage, 'sampling', model.generation(learner(copies), generation, true));
  };
  type Grpo = SampledBatch & Setting & { beta: number };
  const grpo = (stage: 'grpo' | 'complete' | 'rewrite', settings: Grpo, copies: number) => {
    const beside = copies + (settings.beta > 0 ? 1 : 0);
    sampling(stage, settings, longest.prompts[stage], beside);
    training(stage, settings, { longest: longest[stage], sequences: rowsAtOnce(settings), copies: beside });
  };
  // Baselines are trained while the base student is loaded.
  if (baselines.rft && complete) sampling('rft', complete, lengths.question, 1);
  if (baselines.grpo && complete) grpo('grpo', Object.assign({}, complete, baselines.grpo), 1);
  if (complete) grpo('complete', complete, 0);
  if (rewrite) grpo('rewrite', rewrite, 1);
  if (rewrite) {
    const { internalise } = rewrite;
    // The rewriter is tested with the teacher's chains in its prompts (rewrite.ts) before the student learns from it.
    const rows = Math.min(evaluation.batch, rowsAtOnce(rewrite));
    const shown = { rows, prompts: rows, promptTokens: longest.prompts.rewrite, newTokens: evaluation.maxNewTokens };
    add('rewrite', 'testing', model.generation(learner(1), shown, true));
    supervise('rewrite', internalise, longest.internalise, 0);
  }
  const { batch, maxNewTokens } = evaluation;
  const testing = { rows: batch, prompts: batch, promptTokens: lengths.question, newTokens: maxNewTokens };
  add('evaluation', 'testing', model.generation(learner(1), testing, true));
  return peaks.reduce((most, peak) => (peak.bytes > most.bytes ? peak : most));
}

/** Changes of settings, mildest first, that bring the experiment below `limit` bytes; empty when none is enough. */
export function remedies(experiment: Experiment, sizes: Sizes, limit: number): string[] {
  const found: string[] = [];
  const tried: string[] = [];
  let changed = experiment;
  const attempt = (text: string, change: (one: Experiment) => Experiment) => {
    changed = change(changed);
    const alone = peakOf(change(experiment), sizes).bytes <= limit;
    const together = peakOf(changed, sizes).bytes <= limit;
    if (alone) found.push(text);
    else if (together && found.length === 0) found.push([...tried, text].join(' and '));
    tried.push(text);
  };
  attempt('"microBatchTokens": 512', (one) =>
    mapStages(one, (stage) => ({ ...stage, microBatchTokens: Math.min(stage.microBatchTokens as number, 512) })),
  );
  attempt('"checkpointing": true', (one) => mapStages(one, (stage) => ({ ...stage, checkpointing: true })));
  const { stages, evaluation } = experiment;
  const shorter = Math.floor(Math.max(evaluation.maxNewTokens, 1) / 2);
  attempt(`"maxNewTokens": ${shorter}`, (one) => ({
    ...mapGrpo(one, (settings) => ({ ...settings, maxNewTokens: Math.min(settings.maxNewTokens, shorter) })),
    evaluation: { ...one.evaluation, maxNewTokens: shorter },
  }));
  const fewer = Math.max(1, Math.floor((stages.complete || stages.rewrite || { prompts: 2 }).prompts / 2));
  attempt(`"prompts": ${fewer} and "evaluation": {"batch": ${Math.ceil(evaluation.batch / 4)}}`, (one) => ({
    ...mapGrpo(one, (settings) => ({ ...settings, prompts: Math.min(settings.prompts, fewer) })),
    evaluation: { ...one.evaluation, batch: Math.ceil(evaluation.batch / 4) },
  }));
  if (!experiment.student.lora)
    attempt('"student": {"lora": {}}', (one) => ({ ...one, student: { ...one.student, lora: defaultLora } }));
  return found;
}

type Trained = BaselineName | 'reconstruct' | 'complete' | 'rewrite' | 'internalise';

function mapStages(experiment: Experiment, change: <T extends Setting>(settings: T, name: Trained) => T): Experiment {
  const { stages, baselines } = experiment;
  const { reconstruct, complete, rewrite } = stages;
  const changed = baselineNames.map((name) => [name, baselines[name] && change(baselines[name], name)]);
  return {
    ...experiment,
    stages: {
      reconstruct: reconstruct && change(reconstruct, 'reconstruct'),
      complete: complete && change(complete, 'complete'),
      rewrite: rewrite && {
        ...change(rewrite, 'rewrite'),
        internalise: change(rewrite.internalise, 'internalise'),
      },
    },
    baselines: Object.fromEntries(changed) as Experiment['baselines'],
  };
}

type Answering = { prompts: number; maxNewTokens: number };

function mapGrpo(experiment: Experiment, change: <T extends Answering>(settings: T) => T): Experiment {
  const { complete, rewrite } = experiment.stages;
  const stages = { ...experiment.stages, complete: complete && change(complete), rewrite: rewrite && change(rewrite) };
  return { ...experiment, stages };
}
