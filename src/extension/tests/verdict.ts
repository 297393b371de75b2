/** An answer as a test result: expected answer, actual answer, and where it went wrong. Pure. */

import { describeFailure, teacherChain } from '../../cases/describe';
import { faultText, isGuess } from '../../chain/fault-text';
import { answerLine, renderChain } from '../../chain/prompts';
import type { Problem } from '../../data/types';
import type { Evaluated } from '../../protocol/control';
import { sentence } from '../../words';
import { plural } from '../shared/words';

export interface TestVerdict {
  passed: boolean;
  /** One sentence for a failure: `38, not 42. Step 2: 12 * 3 is 36, not 38.` */
  message: string;
  /** The teacher's chain, or the answer alone where there is none; and the student's text. */
  expected: string;
  actual: string;
  /** Shown beside the test's name. */
  description: string;
}

export function verdictOf(problem: Problem, evaluated: Evaluated): TestVerdict {
  const { text, answer, correct, finished, tokens } = evaluated;
  const teacher = teacherChain(problem);
  const expected = teacher ? renderChain(teacher) : answerLine(problem.answer);
  const length = plural(tokens, 'token');
  if (correct) return { passed: true, message: '', expected, actual: text, description: length };
  const none = finished ? 'no answer' : 'cut off before an answer';
  const got = answer === null ? `${none}; ${problem.answer} is right` : `${answer}, not ${problem.answer}`;
  const message = [sentence(got), ...faultOf(problem, evaluated)].join(' ');
  return { passed: false, message, expected, actual: text, description: `${got} · ${length}` };
}

/** Where it went wrong, if that is known. */
function faultOf(problem: Problem, evaluated: Evaluated): string[] {
  const { firstWrongStep: fault, category } = describeFailure(problem, [evaluated], '');
  if (fault && isGuess(fault.reason)) return [sentence(faultText(fault.reason, fault.step))];
  if (fault) return [`Step ${fault.step + 1}: ${fault.reason}.`];
  if (evaluated.answer !== null) return [sentence(category.replace(/-/g, ' '))];
  return evaluated.lenientCorrect ? ['The right number is there, but on no answer line.'] : [];
}

/** The output of the test: question, student's text, verdict. */
export function outputOf(problem: Problem, evaluated: Evaluated, { passed, message }: TestVerdict): string {
  const verdict = passed ? `Right: ${evaluated.answer}, ${plural(evaluated.tokens, 'token')}` : message;
  return `${[`${problem.id}: ${problem.question}`, evaluated.text, `=> ${verdict}`].join('\n')}\n`;
}
