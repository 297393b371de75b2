import { parseAnswer } from '../answers/equal';
import { type Answer, extractAnswer } from '../answers/extract';
import { partThinking, spokenPart } from '../answers/thinking';
import { checkEquations, statedValues } from '../arithmetic/calculator';
import { type Givens, givensOf, numberKey } from '../arithmetic/givens';
import type { Derivation } from '../arithmetic/numbers';
import { derive } from './derivation';
import { answerComesFirst, formFault, otherAnswer, withoutAnswer, withoutLabels } from './form';
import { isForeign } from './language';
import { renderChain } from './prompts';
import { arrivesInWords, fillerShare, isCopy, isolatedEquation, ngrams } from './prose';
import type { Chain } from './types';

/** Whether the steps of a text lead to its answer. */
export interface Groundedness {
  /** False if nothing can be computed and the form is fine: there is no verdict, and `grounded` is true. */
  applies: boolean;
  grounded: boolean;
  /** The error in a few words: "the answer 42 comes from no step". null if there is none. */
  fault: string | null;
}

/**
 * Whether the steps of a text lead to the answer that it gives, right or wrong. Checked in this order:
 *
 * - one answer, after its mark and after the steps; nonempty steps without repetition, in the language of the
 *   question;
 * - no false equation (`checkEquations`);
 * - for a numeric answer: it is derived (`derive`) from the numbers of the question by true equations, sentences or
 *   unknowns, so that every number has a source, and no equation is irrelevant;
 * - otherwise a step states the answer and adds something to the question (`arrivesInWords`).
 *
 * Whether something can be computed depends on the problem, never on the text: a text cannot pass by computing nothing.
 * It cannot be computed if the question has no numbers or is about higher mathematics, or if the teacher's own chain
 * derives nothing. Without a question every operand counts as given. Copying the chain of the `teacher` is not
 * reasoning, unless `mayCopy`; numbers that the teacher takes from common knowledge are allowed here too. Linear in the
 * length of the text.
 */
export function groundedness(
  question: string | undefined,
  text: string,
  teacher?: Chain,
  mayCopy = false,
): Groundedness {
  const solution = readable(text);
  const answer = extractAnswer(solution, 'strict');
  if (!answer) return faulty('there is no answer');
  const problem = problemOf(question, teacher);
  const parts = partsOf(solution, answer);
  const { thought, spoken } = parts;
  const fault =
    formFaultOf(solution, answer, parts, problem) ?? copyFault(spoken, problem, mayCopy) ?? falseEquation(spoken);
  if (fault) return faulty(fault);
  // An answer written as a computation, such as 5/8, is not its own derivation.
  const own = /\d\s*[-+*/^]/.test(answer.value) ? answer.end - answer.start : 0;
  const steps = withoutQuestions(withoutLabels(thought + spoken.slice(0, spoken.length - own)));
  const stated = withoutExclamationMark(answer.value, steps);
  const value = problem.computes ? parseAnswer(stated)?.valueOf() : undefined;
  if (value === undefined || (!problem.givens && !statedValues(steps).some(({ computed }) => computed))) {
    const said = withoutLabels(spoken);
    const filler = question === undefined ? null : isolatedEquation(question, said);
    if (filler !== null) return faulty(`${filler} has nothing to do with the question`);
    const wordless = arrivesInWords(question, said, stated);
    return wordless ? faulty(wordless) : { applies: false, grounded: true, fault: null };
  }
  const reason = arithmeticFault(derive(steps, problem.givens, question), numberKey(value), answer.value, problem);
  return reason ? faulty(reason) : { applies: true, grounded: true, fault: null };
}

/** The question itself is not a statement: "Is 5/8 or 3/5 larger?" computes nothing. */
const withoutQuestions = (steps: string) => steps.replace(/(?<=^|\n|[.!?]\s)[^.!?=\n]*\?(?=\s|$)/g, '');

/** "15!" at the end of a sentence is 15 if the steps say 15, and else a factorial. */
function withoutExclamationMark(answer: string, steps: string): string {
  const [, number] = /^(\D{0,2}\d[\d.,]*)!$/.exec(answer) ?? [];
  return number !== undefined && new RegExp(`(?<![\\d.])${number.replace(/\D/g, '\\$&')}(?![\\d!])`).test(steps)
    ? number
    : answer;
}

const faulty = (fault: string): Groundedness => ({ applies: true, grounded: false, fault });

/** Facts about a problem, computed before any solution is read. */
interface ProblemFacts {
  question?: string;
  teacher?: Chain;
  givens: Givens | null;
  computes: boolean;
  /** How many of the question's numbers an answer must be derived from. */
  needed: number;
  /** Texts whose languages a solution may use. */
  sources: readonly string[];
  /** The teacher's chain as word n-grams. */
  taught: Set<string> | null;
}

/** Cached, as there are many solutions to a problem. */
let last: ProblemFacts | undefined;

function problemOf(question: string | undefined, teacher: Chain | undefined): ProblemFacts {
  if (last && last.question === question && last.teacher === teacher) return last;
  const found = question === undefined ? null : givensOf(readable(question));
  const written = teacher && readable(renderChain(teacher));
  const taught = found && teacher && written ? withTaught(found, written, teacher.answer, question!) : undefined;
  const isArithmetic = !found || (found.own.size > 0 && !isHigher.test(question!));
  last = {
    question,
    teacher,
    computes: taught === undefined ? isArithmetic : taught !== null,
    givens: taught?.givens ?? found,
    needed: taught?.needed ?? Math.ceil((found?.said.size ?? 0) * fewestNumbers),
    sources: [question, written].filter((text) => text !== undefined),
    taught: written ? ngrams(withoutLabels(written)) : null,
  };
  return last;
}

/** Of the question's numbers, and of those that its teacher uses, the share that an answer must be derived from. */
const fewestNumbers = 0.4;
const fewestOfTeacher = 0.6;

/** Signs of mathematics beyond arithmetic with the question's numbers. */
const isHigher =
  /\\[a-zA-Z]+|[√∑∫π∞≤≥^]|\$[^$\d]{0,20}[a-z][^$]{0,80}\$|\b(?:prove|functions?|polynomials?|matrix|vectors?|probability|how many (?:different |distinct )?ways|primes?|divisors?|factors?|factorial|digits?|remainder|modulo|derivative|integral|sequence|permutations?|combinations?)\b/i;

/** Maximum numbers of a teacher's chain that are accepted as common knowledge. */
const mostTaught = 8;

/** The givens, plus the additional numbers of the teacher's chain; null if even then its answer is not derived. */
function withTaught(givens: Givens, written: string, answer: string, question: string) {
  const value = parseAnswer(answer)?.valueOf();
  if (value === undefined) return null;
  const key = numberKey(value);
  const common = new Set(givens.common);
  for (let i = 0; i <= mostTaught; i++) {
    const known: Givens = { own: givens.own, said: givens.said, common };
    const found = derive(withoutLabels(written), known, question);
    if (arrivals(found.derived, key).length > 0)
      return { givens: known, needed: Math.ceil(usedNumbers(found, key, known) * fewestOfTeacher) };
    const next = [...found.strange.keys()].find((one) => one !== key);
    if (next === undefined) return null;
    common.add(next);
  }
  return null;
}

/** A text in ASCII digits, without invisible characters and GSM8K's calculator marks. */
function readable(text: string): string {
  const plain = text
    .replace(/[\uFF01-\uFF5E\u{1D7CE}-\u{1D7FF}]/gu, (sign) => sign.normalize('NFKC'))
    .replace(/\p{Cf}/gu, '')
    .replace(/\b([ap])\.\s?m\b\.?/gi, '$1m') // 3 p.m.
    .replace(/(?<![\p{L}\p{N}])(\p{L})-(?=\p{L}{2})/gu, '$1'); // a t-shirt
  // A calculator mark repeats the equation around it, unless that consists only of its result.
  return plain.replace(/(=\s{0,4}\$?\s{0,4})?<<([^<>\n]{0,200})>>/g, (_, sign, inside) => sign ?? ` ${inside}; `);
}

/** The thinking, and the solution after it, `from` there up to the answer. */
interface Parts {
  thought: string;
  spoken: string;
  from: number;
}

function partsOf(solution: string, { end }: Answer): Parts {
  const { start, cutOff } = spokenPart(solution);
  if (start === 0 || cutOff || start > end) return { thought: '', spoken: solution.slice(0, end), from: 0 };
  return { thought: `${partThinking(solution).thought}\n`, spoken: solution.slice(start, end), from: start };
}

function formFaultOf(
  solution: string,
  answer: Answer,
  { thought, spoken, from }: Parts,
  problem: ProblemFacts,
): string | null {
  if (answerComesFirst(solution, answer)) return 'the answer comes before the steps';
  const fault = formFault(thought, spoken);
  if (fault) return fault;
  const other = otherAnswer(solution.slice(from), answer);
  if (other !== null) return `two answers: ${other} and ${answer.value}`;
  if (isForeign(withoutAnswer(withoutLabels(spoken)), problem.sources))
    return 'the steps are in another language than the question';
  if (problem.question !== undefined && fillerShare(problem.question, withoutLabels(spoken)) > mostIdle)
    return 'most of the text says nothing about the question';
  return null;
}

function copyFault(spoken: string, { taught }: ProblemFacts, mayCopy: boolean): string | null {
  if (mayCopy || !taught || !isCopy(withoutLabels(spoken), taught)) return null;
  return "the teacher's chain word for word";
}

/**
 * More than this share of a text, by words, may not be in sentences with neither a number nor a word of the question.
 */
const mostIdle = 0.5;

function falseEquation(text: string): string | null {
  const slip = checkEquations(text).find(({ correct }) => !correct);
  return slip ? `${slip.left} is ${slip.actual}, not ${slip.stated}` : null;
}

function arithmeticFault(found: Derivation, key: number, answer: string, problem: ProblemFacts): string | null {
  const { derived, strange, unrelated, unused } = found;
  if (arrivals(derived, key).length === 0) {
    const [unsourced] = [...strange.keys()].filter((one) => one !== key);
    return unsourced === undefined
      ? `the answer ${answer} comes from no step`
      : `${unsourced} comes from neither the question nor an earlier step`;
  }
  const used = usedNumbers(found, key, problem.givens);
  if (used < problem.needed) return `the answer uses ${used} of the question's ${problem.givens!.said.size} numbers`;
  const [filler] = unrelated.keys();
  if (filler !== undefined && unrelated.size * 4 >= derived.size)
    return `an equation with ${filler} has nothing to do with the question`;
  unused.delete(key);
  return unused.size >= mostUnused && unused.size * 2 >= derived.size ? 'most of the results lead nowhere' : null;
}

const mostUnused = 3;

/** The number of the question's numbers that a number is derived from. */
function usedNumbers(found: Derivation, key: number, givens: Givens | null): number {
  const said = givens?.said ?? new Set();
  const roots = new Set(arrivals(found.derived, key).flatMap((one) => [...found.roots(one)]));
  return [...roots].filter((root) => said.has(root)).length;
}

/** The derived numbers equal to this one, as written, as a percentage or rounded. */
function arrivals(derived: ReadonlyMap<number, unknown>, key: number): number[] {
  const exact = [key, key * 100, key / 100].map(numberKey).filter((one) => derived.has(one));
  if (exact.length > 0) return exact;
  const unit = 10 ** -(String(key).split('.')[1]?.length ?? 0);
  return [...derived.keys()].filter((value) => !Number.isInteger(value) && Math.abs(value - key) < unit);
}
