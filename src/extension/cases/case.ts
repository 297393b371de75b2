/** Everything that a run's folder records about one case. */

import { type FirstFault, firstFault } from '../../cases/first-fault';
import { type KnownProblem, knownProblem } from '../../cases/problem';
import { completionLength, completionText } from '../../chain/completion';
import { placeChain, splitChain } from '../../chain/split';
import type { Problem } from '../../data/types';
import { UserError } from '../../errors';
import { type Decisions, decisionsOf, type MarkedStep, readDecisions } from '../../runs/decisions';
import { readRollouts } from '../../runs/reading';
import type { AnswerRecord, FailureRecord, RewriteRecord, RolloutRecord } from '../../runs/records';
import { type StageName, shortStageTitles } from '../../stages';
import type { RunCache } from '../workspace/run-cache';
import { problemOf, testedAnswers } from './known-problems';
import type { CaseReference } from './reference';

/** An answer of the student that a case's document can show. */
export interface CaseAnswer extends AnswerRecord {
  /** "sample 2", "Stage 2, update 40, completion 3". */
  label: string;
  place: { sample: number; stage?: StageName; step?: number };
  rollout?: RolloutRecord;
}

export interface Case extends Omit<KnownProblem, 'marked' | 'teacherChain'> {
  reference: CaseReference;
  /** Recorded answers, and the completion that was requested. */
  answers: CaseAnswer[];
  /** The answer shown; undefined where there is none. */
  shown?: CaseAnswer;
  fault?: FirstFault;
  teacher?: { text: string; tokens?: number };
}

/**
 * Reads a case. `decisions` are all those of its run, if they are loaded already. @throws UserError when the run is
 * missing, a file cannot be read, or the run does not have the problem
 */
export function readCase(
  cache: RunCache,
  reference: CaseReference,
  decisions = decisionsOf(readDecisions(reference.run)),
): Case {
  const { run, problemId } = reference;
  const { value: failures, problem } = cache.failures(run);
  if (problem) throw problem;
  const failure = failures.findLast((one) => one.problemId === problemId) ?? describeProblem(cache, reference);
  const { value: rewrites } = cache.rewrites(run);
  const ofProblem = (rewrites ?? []).filter((one) => one.problemId === problemId);
  return buildCase(reference, failure, ofProblem, decisions);
}

type KnownFailure = Pick<FailureRecord, 'question' | 'answer' | 'samples' | 'teacherChain'> & Partial<FailureRecord>;

/** A problem that is not a failure: built from the run's data and its evaluations. */
function describeProblem(cache: RunCache, { run, problemId, stage, step }: CaseReference): KnownFailure {
  const problem =
    problemOf(cache, run, problemId) ??
    recordedProblem(run, problemId, stage && step !== undefined ? { stage, step } : undefined);
  if (!problem)
    throw new UserError(`the run does not have a problem "${problemId}"`, {
      file: run,
      code: 'run',
      remedy: 'It may belong to another run, or to data that has changed since.',
    });
  const samples = testedAnswers(run, problemId).map(({ record }) => record);
  return { question: problem.question, answer: problem.answer, samples, teacherChain: problem.chain };
}

/** Unreadable lines are reported where the whole file is shown. */
const passOver = () => {};

/** The problem as recorded by imported records whose dataset is not available. */
function recordedProblem(
  run: string,
  problemId: string,
  at: { stage: StageName; step: number } | undefined,
): Pick<Problem, 'question' | 'answer' | 'chain'> | undefined {
  const rollout = at && readRollouts(run, at.stage, at.step, passOver).find((one) => one.problemId === problemId);
  const [answer] = testedAnswers(run, problemId);
  const { question, gold = '' } = rollout ?? answer?.record ?? {};
  return question === undefined ? undefined : { question, answer: gold };
}

/** Builds the case from these records. */
export function buildCase(
  reference: CaseReference,
  failure: KnownFailure,
  rewrites: readonly RewriteRecord[],
  decisions: Decisions,
): Case {
  const { marked, teacherChain, ...known } = knownProblem(reference.problemId, { failure, rewrites }, decisions);
  const answers = answersOf(reference, failure);
  const shown = chosen(reference, answers, marked?.sample ?? failure.firstWrongStep?.sample);
  const recordedTokens = rewrites.find((one) => one.teacherTokens !== undefined)?.teacherTokens;
  const tokens = shown?.rollout?.teacherTokens ?? recordedTokens;
  return {
    ...known,
    reference,
    answers,
    shown,
    fault: shown && faultOf(shown, failure, marked),
    teacher: teacherChain === undefined ? undefined : { text: teacherChain, tokens },
  };
}

function answersOf({ run, problemId, stage, step }: CaseReference, { samples }: KnownFailure): CaseAnswer[] {
  const recorded = samples.map(
    (record, sample): CaseAnswer => ({ ...record, label: `sample ${sample + 1}`, place: { sample } }),
  );
  if (stage === undefined || step === undefined) return recorded;
  const group = readRollouts(run, stage, step, passOver).filter((one) => one.problemId === problemId);
  return [...recorded, ...group.map(answerOfRollout)];
}

/** A completion as an answer that can be shown. */
export function answerOfRollout(rollout: RolloutRecord): CaseAnswer {
  const { stage, step, sample, answer, correct, finished, unit } = rollout;
  return {
    text: completionText(rollout),
    answer,
    correct: correct === true,
    finished,
    tokens: completionLength(rollout),
    ...(unit && { unit }),
    label: `${shortStageTitles[stage]}, update ${step}, completion ${sample + 1}`,
    place: { sample, stage, step },
    rollout,
  };
}

/** The requested answer; else the one whose first wrong step is recorded, else the first wrong one. */
function chosen(
  { sample, stage, step }: CaseReference,
  answers: readonly CaseAnswer[],
  firstWrongSample: number | undefined,
): CaseAnswer | undefined {
  const at = stage !== undefined && step !== undefined ? { stage, step } : undefined;
  const here = answers.filter(({ place }) => place.stage === at?.stage && place.step === at?.step);
  const index = sample ?? (at ? undefined : firstWrongSample);
  return (
    here.find(({ place }) => place.sample === index) ?? here.find(({ correct }) => !correct) ?? here[0] ?? answers[0]
  );
}

/** Of a right answer, only what a person marked. */
function faultOf(
  shown: CaseAnswer,
  { firstWrongStep: recorded, teacherChain, answer, question }: KnownFailure,
  marked: MarkedStep | undefined,
): FirstFault | undefined {
  const isSample = shown.rollout === undefined;
  const fault = firstFault(placeChain(shown.text), {
    marked: isSample && marked?.sample === shown.place.sample ? marked.step : undefined,
    recorded: isSample && recorded?.sample === shown.place.sample ? recorded : undefined,
    against: teacherChain === undefined ? answer : splitChain(teacherChain),
    question,
  });
  return shown.correct && fault?.by !== 'person' ? undefined : fault;
}
