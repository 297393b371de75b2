/** Everything that a run's folder records about one case. */

import { markIn } from '../../cases/marked-step';
import { faultText, isGuess } from '../../chain/fault-text';
import { firstWrongStep } from '../../chain/faults';
import { placeChain, splitChain } from '../../chain/split';
import type { Problem } from '../../data/types';
import { UserError } from '../../errors';
import { type Decisions, decisionsOf, type MarkedStep, readDecisions } from '../../runs/decisions';
import { readRollouts } from '../../runs/reading';
import type { AnswerRecord, FailureRecord, RewriteDecision, RewriteRecord, RolloutRecord } from '../../runs/records';
import { type StageName, shortStageTitles } from '../../stages';
import type { RunCache } from '../run-cache';
import { type CaseRewrite, rewritesOf } from './case-rewrites';
import { problemOf, testedAnswers } from './known-problems';
import type { CaseReference } from './reference';
import { rolloutText } from './token-facts';

/** An answer of the student that a case's document can show. */
export interface CaseAnswer extends AnswerRecord {
  /** "sample 2", "Stage 2, update 40, completion 3". */
  label: string;
  place: { sample: number; stage?: StageName; step?: number };
  rollout?: RolloutRecord;
}

/** The first wrong step of the shown answer: its number (from 0), its range in the text, and the reason. */
export interface CaseFault {
  step: number;
  reason: string;
  /** The evidence: a false equation, a departure from the teacher (which is a guess), or a person's mark. */
  by: 'equation' | 'guess' | 'person';
  start: number;
  end: number;
}

export interface Case {
  reference: CaseReference;
  question: string;
  gold: string;
  category?: string;
  /** Recorded answers, and the completion that was requested. */
  answers: CaseAnswer[];
  /** The answer shown; undefined where there is none. */
  shown?: CaseAnswer;
  fault?: CaseFault;
  teacher?: { text: string; tokens?: number };
  rewrites: CaseRewrite[];
  /** Whether the case is picked for Stage 3. */
  picked: boolean;
  /** The person's note. */
  note?: string;
  /** Whether a person has marked the case as read. */
  read: boolean;
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

type Known = Pick<FailureRecord, 'question' | 'answer' | 'samples' | 'teacherChain'> & Partial<FailureRecord>;

/** A problem that is not a failure: built from the run's data and its evaluations. */
function describeProblem(cache: RunCache, { run, problemId, stage, step }: CaseReference): Known {
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
  failure: Known,
  rewrites: readonly RewriteRecord[],
  decisions: Decisions,
): Case {
  const { problemId } = reference;
  const answers = answersOf(reference, failure);
  const marked = markIn(failure.samples, decisions.steps.get(problemId));
  const shown = chosen(reference, answers, marked?.sample ?? failure.firstWrongStep?.sample);
  const decided: readonly RewriteDecision[] = decisions.rewrites.get(problemId) ?? [];
  const teacherTokens = rewrites.find((one) => one.teacherTokens !== undefined)?.teacherTokens;
  return {
    reference,
    question: failure.question,
    gold: failure.answer,
    category: failure.category,
    answers,
    shown,
    fault: shown && faultOf(shown, failure, marked),
    teacher:
      failure.teacherChain === undefined
        ? undefined
        : { text: failure.teacherChain, tokens: shown?.rollout?.teacherTokens ?? teacherTokens },
    rewrites: rewritesOf(rewrites, decided, failure.answer),
    picked: decisions.picked.has(problemId),
    note: decisions.notes.get(problemId),
    read: decisions.read.has(problemId),
  };
}

function answersOf({ run, problemId, stage, step }: CaseReference, { samples }: Known): CaseAnswer[] {
  const recorded = samples.map(
    (record, sample): CaseAnswer => ({ ...record, label: `sample ${sample + 1}`, place: { sample } }),
  );
  if (stage === undefined || step === undefined) return recorded;
  const group = readRollouts(run, stage, step, passOver).filter((one) => one.problemId === problemId);
  return [...recorded, ...group.map(answerOfRollout)];
}

/** A completion as an answer that can be shown. */
export function answerOfRollout(rollout: RolloutRecord): CaseAnswer {
  const { stage, step, sample, answer, correct, finished, tokens, unit } = rollout;
  return {
    text: rolloutText(rollout),
    answer,
    correct: correct === true,
    finished,
    tokens: tokens.length - (finished ? 1 : 0),
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
  telling: number | undefined,
): CaseAnswer | undefined {
  const at = stage !== undefined && step !== undefined ? { stage, step } : undefined;
  const here = answers.filter(({ place }) => place.stage === at?.stage && place.step === at?.step);
  const index = sample ?? (at ? undefined : telling);
  return (
    here.find(({ place }) => place.sample === index) ?? here.find(({ correct }) => !correct) ?? here[0] ?? answers[0]
  );
}

/** The first wrong step: as marked by a person, else as recorded. For other answers it is computed. */
function faultOf(
  shown: CaseAnswer,
  { firstWrongStep: recorded, teacherChain, answer, question }: Known,
  marked: MarkedStep | undefined,
): CaseFault | undefined {
  const { chain, place: placeOf } = placeChain(shown.text);
  if (marked && shown.rollout === undefined && marked.sample === shown.place.sample) {
    const place = placeOf({ step: marked.step });
    if (place) return { step: marked.step, reason: 'marked by hand as the first wrong step', by: 'person', ...place };
  }
  if (shown.correct) return undefined;
  const teacher = teacherChain === undefined ? answer : splitChain(teacherChain);
  const isRecorded = shown.rollout === undefined && recorded?.sample === shown.place.sample;
  const fault = isRecorded ? recorded : firstWrongStep(chain, teacher, question);
  const place = fault && placeOf(fault);
  if (!place) return undefined;
  const said = 'reason' in fault ? fault.reason : fault.message;
  const by = isGuess(said) ? 'guess' : 'equation';
  return { step: fault.step, reason: faultText(said, fault.step), by, ...place };
}
