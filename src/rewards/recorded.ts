import { completionText, withoutEnd } from '../chain/completion';
import { showsSteps } from '../chain/prompts';
import { splitChain } from '../chain/split';
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

/** A completion with its record. */
export type Scorable<R extends RecordedRollout = RecordedRollout> = RecordedCompletion & { rollout: R };

/** A recorded completion with its problem, ready to be scored again. */
export function toScorable<R extends RecordedRollout>(
  rollout: R,
  { question, answer, chain }: { question: string; answer: string; chain?: string },
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
