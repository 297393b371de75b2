/** Everything that a run records about one problem: what failure cases and the chain diff show. */
import type { Problem } from '../data/types';
import type { Decisions, MarkedStep } from '../runs/decisions';
import type { FailureRecord, RewriteRecord } from '../runs/records';
import { markIn } from './marked-step';
import { type CaseRewrite, rewritesOf } from './rewrites';

/** Sources of the problem; the first one that has it is used. */
export interface ProblemSources {
  failure?: Partial<FailureRecord> & Pick<FailureRecord, 'question' | 'answer' | 'samples'>;
  rewrites: readonly RewriteRecord[];
  /** Of the run's data. */
  problem?: Pick<Problem, 'question' | 'answer' | 'chain'>;
  /** As other records have it: completions, evaluated answers. */
  recorded?: { question?: string; gold?: string };
}

export interface KnownProblem {
  question: string;
  gold: string;
  category?: string;
  teacherChain?: string;
  rewrites: CaseRewrite[];
  /** The step that a person marked as the first wrong one, where these very samples are recorded. */
  marked?: MarkedStep;
  /** Whether a person added it to Stage 3. */
  picked: boolean;
  note?: string;
  /** Whether a person has marked it as read. */
  read: boolean;
}

export function knownProblem(
  problemId: string,
  { failure, rewrites, problem, recorded }: ProblemSources,
  decisions: Decisions | undefined,
): KnownProblem {
  const source = failure ?? rewrites[0] ?? problem;
  const gold = source?.answer ?? recorded?.gold ?? '';
  return {
    question: source?.question ?? recorded?.question ?? '',
    gold,
    category: failure?.category,
    teacherChain: failure?.teacherChain ?? problem?.chain,
    rewrites: rewritesOf(rewrites, decisions?.rewrites.get(problemId) ?? [], gold),
    marked: markIn(failure?.samples ?? [], decisions?.steps.get(problemId)),
    picked: decisions?.picked.has(problemId) ?? false,
    note: decisions?.notes.get(problemId),
    read: decisions?.read.has(problemId) ?? false,
  };
}
