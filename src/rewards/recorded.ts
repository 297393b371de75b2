import { completionText, withoutEnd } from '../chain/completion';
import { showsSteps } from '../chain/prompts';
import { splitChain } from '../chain/split';
import { UserError } from '../errors';
import type { RecordedCompletion } from './dry-run';

/** The fields of a line of rollouts/<stage>/<step>.jsonl that its reward depends on. */
export interface RecordedRollout {
  problemId: string;
  prompt: string;
  step: number;
  group: number;
  /** Including the end token, if it was sampled. */
  tokens: readonly number[];
  tokenTexts: readonly string[];
  finished: boolean;
  teacherTokens?: number;
  reward: number | null;
  parts: Readonly<Record<string, number | null>>;
}

export type Scorable<R extends RecordedRollout = RecordedRollout> = RecordedCompletion & { rollout: R };

/**
 * Recorded completions with their problems, ready to be scored again. @throws UserError when the data no longer has one
 * of the problems
 */
export function toScorables<R extends RecordedRollout>(
  rollouts: readonly R[],
  problems: Iterable<RecordedProblem & { id: string }>,
  missing: { file?: string; remedy: string },
): Scorable<R>[] {
  const known = new Map(Array.from(problems, (problem) => [problem.id, problem]));
  return rollouts.map((rollout) => {
    const problem = known.get(rollout.problemId);
    if (problem) return toScorable(rollout, problem);
    throw new UserError(`the problem ${rollout.problemId} is no longer in the data`, { code: 'dataset', ...missing });
  });
}

interface RecordedProblem {
  question: string;
  answer: string;
  chain?: string;
}

/** A recorded completion with its problem. */
export function toScorable<R extends RecordedRollout>(
  rollout: R,
  { question, answer, chain }: RecordedProblem,
): Scorable<R> {
  const { problemId, prompt, step, group, tokens, tokenTexts, finished, teacherTokens, reward, parts } = rollout;
  return {
    problemId,
    step,
    group,
    problem: {
      question,
      answer,
      teacher: chain ? { ...splitChain(chain), answer } : undefined,
      teacherTokens,
      completesSteps: showsSteps(prompt),
    },
    completion: {
      text: completionText({ tokenTexts, finished }),
      tokens: withoutEnd({ tokens, finished }),
      finished,
    },
    reward,
    parts,
    rollout,
  };
}
