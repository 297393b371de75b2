/** Estimates the duration of an experiment from operation counts and the measured speed of this machine. */
import type { CompleteSettings, Experiment, SftSettings } from '../config/experiment';
import { type Problems, sample } from '../data/problems';
import { baselineNames } from '../stages';
import { mean } from '../statistics';
import type { ModelConfig } from '../student-files/config';
import { parameterCount } from '../student-files/parameters';
import type { Tokenizer } from '../student-files/tokenizer';
import { thinkingTokens, thinksFirst } from './lessons/completions';
import { type Lesson, prepareLessons } from './lessons/lessons';

/** Number of rows of a dataset, and mean lengths of question and chain in tokens. */
export interface Workload {
  train: number;
  test: number;
  question: number;
  chain: number;
  /** Of a student that thinks first, how long its answers are before it has learned anything. */
  own?: number;
}

/** The rows that are tokenized. */
const measured = { rows: 40, characters: 100_000, least: 5 };

/** `lessons`: a sample of `train`. */
export function workloadOf(
  train: Problems,
  test: number,
  tokenizer: Tokenizer,
  lessons: readonly Lesson[] = prepareLessons(sample(train, measured), tokenizer),
): Workload {
  const chains = lessons.flatMap(({ teacherTokens }) => teacherTokens?.length ?? []);
  const question = mean(lessons.map(({ prompt }) => prompt.length));
  const chain = chains.length > 0 ? mean(chains) : 200;
  return { train: train.length, test, question, chain, ...(thinksFirst(tokenizer) && { own: thinkingTokens }) };
}

/**
 * The fraction of the speed of one large product that training reaches. Sampling, one token at a time, reaches less.
 */
const efficiency = { training: 0.6, sampling: 0.2 };

/**
 * Seconds at `speed` operations per second. A token takes 2 operations per parameter in the forward pass, as many for
 * gradients of activations and, if the weights are trained, for theirs (Kaplan et al. 2020, arXiv 2001.08361, table 1).
 */
export function secondsFor(experiment: Experiment, config: ModelConfig, work: Workload, speed: number): number {
  const { stages, baselines, evaluation, data, student } = experiment;
  const forward = 2 * parameterCount(config);
  const learned = (student.lora ? 2 : 3) * forward;
  const { question, chain } = work;
  const own = Math.max(chain, work.own ?? 0);
  const lengthIn = ({ maxNewTokens }: { maxNewTokens: number }, length: number) => Math.min(maxNewTokens, length);
  const tests = Math.min(work.test, evaluation.count ?? work.test);
  let [training, sampling] = [0, 0];
  const answers = (rows: number, prompt = question, length = chain) => {
    training += rows * prompt * forward;
    sampling += rows * length * forward;
  };
  const supervised = (one: SupervisedWork, shown = 0) => {
    training += one.updates * one.batch * one.accumulation * (question + shown + chain) * learned;
    training += Math.floor(one.updates / one.evaluateEvery) * data.validation * (question + chain) * forward;
  };
  const grpo = (one: SampledWork, written = chain) => {
    const rows = one.updates * one.prompts * one.group;
    const length = lengthIn(one, written);
    answers(rows, (question + chain / 2) / one.group, length);
    training += rows * (question + chain / 2 + length) * (learned + (one.beta > 0 ? forward : 0));
    training += one.updates * (one.replay.own + one.replay.teacher) * (question + chain) * learned;
    answers(Math.floor(one.updates / one.evaluateEvery) * data.validation, question, length);
  };
  answers(tests, question, lengthIn(evaluation, Math.max(2 * chain, own)));
  for (const name of baselineNames) {
    const one = baselines[name];
    if (!one) continue;
    // Plain GRPO and rejection sampling begin with the base student and keep its way of answering.
    const supervises = name !== 'rft' && 'batch' in one;
    answers(tests, question, lengthIn(evaluation, supervises ? chain : own));
    if ('batch' in one) supervised(one);
    else if (stages.complete) grpo({ ...stages.complete, ...one }, own);
    if (name === 'rft' && stages.complete) {
      const { updates, prompts, group } = stages.complete;
      answers(updates * prompts * group, question, lengthIn(stages.complete, own));
    }
  }
  const { reconstruct, complete, rewrite } = stages;
  const taught = reconstruct ? chain : own;
  for (const one of [reconstruct, complete, rewrite]) if (one) answers(tests, question, lengthIn(evaluation, taught));
  if (reconstruct) supervised(reconstruct, chain * (1 - reconstruct.mixPlain));
  if (complete) grpo(complete, taught);
  if (rewrite) {
    const { failures, internalise } = rewrite;
    if (failures.source === 'student')
      answers(
        (failures.limit ?? work.train) * (failures.samples + (failures.greedy ? 1 : 0)),
        question,
        lengthIn(rewrite, taught),
      );
    grpo(rewrite);
    supervised(internalise);
  }
  return training / (speed * efficiency.training) + sampling / (speed * efficiency.sampling);
}

type SupervisedWork = Pick<SftSettings, 'updates' | 'batch' | 'accumulation' | 'evaluateEvery'>;
type SampledWork = Pick<
  CompleteSettings,
  'updates' | 'prompts' | 'group' | 'beta' | 'replay' | 'evaluateEvery' | 'maxNewTokens'
>;

/**
 * In rounded words, for a machine that computes large products at `speed` operations per second and is otherwise idle.
 */
export const durationText = (...of: Parameters<typeof secondsFor>) =>
  `takes roughly ${inWords(secondsFor(...of))} on this machine`;

/** A rounded time. */
export function inWords(seconds: number): string {
  const [minute, hour, day] = [60, 3600, 86_400];
  if (seconds < 1.5 * minute) return 'a minute';
  if (seconds < 90 * minute) return `${Number((seconds / minute).toPrecision(1))} min`;
  if (seconds < 2 * day) return `${Number((seconds / hour).toPrecision(2)).toFixed(0)} h`;
  return `${(seconds / day).toFixed(0)} days`;
}
