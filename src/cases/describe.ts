import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { failureCategory, firstWrongStep } from '../chain/faults';
import { renderChain } from '../chain/prompts';
import { splitChain } from '../chain/split';
import type { Chain } from '../chain/types';
import { otherAnswer } from '../data/other-answers';
import type { Problem } from '../data/types';
import type { AnswerRecord, FailureRecord } from '../runs/records';

/** The category of a case whose answer is right: picked by hand, or counted as wrong where it was recorded. */
export const rightCategory = 'right answer';

/** The category of a case that was picked by hand before anybody answered it. */
export const unaskedCategory = 'not asked';

/**
 * The teacher's chain of a problem in our one form; null where none is known. It ends in the reference answer as the
 * data write it, or in the chain's own where that is another one: nobody puts a right answer under wrong working.
 */
export function teacherChain(problem: Problem): Chain | null {
  if (!problem.chain) return null;
  return { ...splitChain(problem.chain), answer: otherAnswer(problem) ?? problem.answer };
}

/** The answer that a dataset recorded with a problem, judged as any other: strictly, by the text. */
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
 * A line of failures.jsonl: the first wrong one of `answers` decides what went wrong, and where. `source`: where they
 * came from.
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
