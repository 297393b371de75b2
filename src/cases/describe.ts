import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { failureCategory, firstWrongStep } from '../chain/faults';
import { renderChain } from '../chain/prompts';
import { splitChain } from '../chain/split';
import type { Chain } from '../chain/types';
import { otherAnswer } from '../data/other-answers';
import type { Problem } from '../data/types';
import type { AnswerRecord, FailureRecord } from '../runs/records';

/** The category of a case with a right answer: added to Stage 3 by a person, or marked as wrong in its source. */
const rightCategory = 'right answer';

/** The category of a case that a person added to Stage 3 and that has no answers yet. */
const unaskedCategory = 'not asked';

/**
 * The teacher's chain of a problem in canonical form; null if there is none. It ends with the reference answer as the
 * data write it, or with the chain's own answer if that differs, so that wrong working never gets a right answer.
 */
export function teacherChain(problem: Problem): Chain | null {
  if (!problem.chain) return null;
  return { ...splitChain(problem.chain), answer: otherAnswer(problem) ?? problem.answer };
}

/** A recorded answer of a dataset, judged like any other: strictly, by its text. */
export function recordedAnswer(problem: Problem): AnswerRecord | null {
  const { student } = problem;
  if (!student) return null;
  const answer = extractAnswer(student.text, 'strict')?.value ?? null;
  return {
    text: student.text,
    answer,
    correct: answer !== null && sameAnswer(answer, problem.answer),
    finished: student.finished ?? true,
    tokens: student.tokens ?? student.text.split(/\s+/).filter(Boolean).length,
    ...(student.tokens === undefined && { unit: 'words' as const }),
  };
}

/**
 * A line of failures.jsonl: the first wrong one of `answers` determines category and first wrong step. `source` is
 * their origin.
 */
export function describeFailure(
  problem: Problem,
  answers: readonly AnswerRecord[],
  source: string,
): Omit<FailureRecord, 'seq'> {
  const teacher = teacherChain(problem);
  const sample = answers.findIndex(({ correct }) => !correct);
  const shown = answers[sample];
  const chain = shown && splitChain(shown.text);
  const fault = chain && firstWrongStep(chain, teacher ?? undefined, problem.question);
  let category = answers.length > 0 ? rightCategory : unaskedCategory;
  if (shown)
    category = failureCategory({
      chain,
      text: shown.text,
      gold: problem.answer,
      truncated: !shown.finished,
      teacher: teacher ?? undefined,
    });
  return {
    problemId: problem.id,
    question: problem.question,
    answer: problem.answer,
    samples: [...answers],
    category,
    ...(fault && {
      firstWrongStep: {
        sample,
        step: fault.step,
        text: chain.steps[fault.step] ?? '',
        reason: fault.message,
        start: fault.start,
        end: fault.end,
      },
    }),
    ...(teacher && { teacherChain: renderChain(teacher) }),
    source,
  };
}
