/** Judges the words of a chain: whether it is about the question, repeats it, or copies the teacher. */
import { checkEquations } from '../arithmetic/calculator';
import { lex } from '../arithmetic/lexer';
import { splitSentences } from './sentences';

const wordsOf = (text: string): string[] =>
  text.toLowerCase().match(/\d+(?:[.,]\d+)*|\p{Script=Han}|[\p{L}\p{M}]+(?:['’]\p{L}+)?/gu) ?? [];

/** Common words, and words of filler text. */
const emptyWords = new Set(
  (
    'the a an of to in on at for and or so is are was were be been has have had do does did it its this ' +
    "that these those with by from as we you i our my me us let lets let's now then first next last " +
    'finally thus hence therefore step steps answer answers final question problem solution solve solving ' +
    'solved think thinking thought carefully careful result results correct right find need needs want ' +
    'must can could should would will which what how much many given know known see note clear clearly ' +
    'obvious obviously simply just very really also only here there everything nothing something well ' +
    'okay ok yes reason reasoning conclude conclusion calculate calculation compute determine work method ' +
    'approach understand consider important detail details check sure order get gets all any take takes ' +
    'taking one ones time times no not more most every ever always long way ways people'
  ).split(/\s+/),
);
const contentWords = (text: string) => new Set(wordsOf(text).filter((word) => !emptyWords.has(word)));
/** A word without its ending, so that "buys" equals "buy". */
const stem = (word: string) => word.replace(/(?:['’]s|ing|ed|es|s)$/, '');
const stems = (words: Iterable<string>) => new Set([...words].map(stem));

/** The share of a text's words in sentences with neither a number nor a word of the question; 0 for a short text. */
export function fillerShare(question: string, text: string): number {
  const asked = stems(contentWords(question));
  let [idle, all] = [0, 0];
  for (const { start, end } of splitSentences(text)) {
    const words = wordsOf(text.slice(start, end));
    all += words.length;
    if (!words.some((word) => /\d/.test(word) || (!emptyWords.has(word) && asked.has(stem(word)))))
      idle += words.length;
  }
  return idle < shortest ? 0 : idle / all;
}

/** Minimum number of words to count as filler. */
const shortest = 12;

/** A true equation that shares no number with the question or the rest of the text; null if there is none. */
export function isolatedEquation(question: string, text: string): string | null {
  const numbersIn = (part: string): number[] => lex(part).flatMap(({ value }) => (value ? [value.valueOf()] : []));
  const counts = new Map<number, number>();
  for (const number of [...numbersIn(question), ...numbersIn(text)]) counts.set(number, (counts.get(number) ?? 0) + 1);
  const found = checkEquations(text).find(({ start, end }) => {
    const own = numbersIn(text.slice(start, end));
    return own.every((number) => counts.get(number) === own.filter((one) => one === number).length);
  });
  return found ? `${found.left} = ${found.right}` : null;
}

/** Length of compared word n-grams, and minimum number of them in a chain for copying to count. */
const run = 5;
const shortestCopy = 30;

export function ngrams(text: string): Set<string> {
  const words = wordsOf(text);
  return new Set(words.slice(0, Math.max(0, words.length - run + 1)).map((_, i) => words.slice(i, i + run).join(' ')));
}

/** Whether a text is a nearly verbatim copy of the chain with these n-grams. */
export function isCopy(text: string, taught: ReadonlySet<string>): boolean {
  if (taught.size < shortestCopy) return false;
  const said = ngrams(text);
  const common = [...said].filter((one) => taught.has(one)).length;
  return common > 0.9 * said.size && common > 0.8 * taught.size;
}

const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/\\(?:text|mathrm|boxed|d?frac|left|right|[,;!])|[\s{}$*_\\]/g, '')
    .replace(/\.$/, '');

/** Code units of "the final answer is:" with room for spaces. */
const longestAnnouncement = 200;

/**
 * Why steps without computations do not lead to an answer in words or formulas; null if they may. `steps` end with the
 * answer.
 */
export function arrivesInWords(question: string | undefined, steps: string, answer: string): string | null {
  const body = steps.slice(0, steps.lastIndexOf(answer));
  const announced = /(?:(?:final|the)\s+)*answer(?:\s+is)?\s*:?\s*\S{0,3}$/i;
  const bare = body.slice(0, -longestAnnouncement) + body.slice(-longestAnnouncement).replace(announced, '');
  const isChoice = /^(?:yes|no|true|false|\(?[a-h]\)?)$/i.test(answer.trim());
  if (!isChoice && !plain(bare).includes(plain(answer))) return `no step says the answer ${answer}`;
  const ownWords = stems(contentWords(answer));
  const said = [...stems(contentWords(bare))].filter((word) => !ownWords.has(word));
  if (said.length === 0) return 'the steps say nothing but the answer';
  if (question === undefined) return null;
  const asked = stems(contentWords(question));
  if (!said.some((word) => asked.has(word))) return 'the steps say nothing about the question';
  return said.every((word) => asked.has(word)) ? 'the steps only repeat the question' : null;
}
