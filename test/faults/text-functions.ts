/**
 * Functions that read text of models, datasets and users, each as a function of one text. The test finds other exports
 * of `src/chain` and `src/answers` that are missing here.
 */
import { answerBoxes, contentOf } from '../../src/answers/boxes';
import { dateIn } from '../../src/answers/dates';
import { isComparable, parseAnswer, sameAnswer } from '../../src/answers/equal';
import { type Answer, extractAnswer } from '../../src/answers/extract';
import { judge } from '../../src/answers/grade';
import { closing } from '../../src/answers/lexer';
import { trimmed, wholeValue } from '../../src/answers/line';
import { otherMeanings, usualNotation } from '../../src/answers/notation';
import { placeIn } from '../../src/answers/number-words';
import { chineseNumber, isNumberWord, numberInWords, plainDigits, spelledAt } from '../../src/answers/numbers';
import { parse } from '../../src/answers/parser';
import { readingsOf } from '../../src/answers/readings';
import { openThinking, partThinking, spokenPart } from '../../src/answers/thinking';
import { verdictAtStart } from '../../src/answers/words';
import { checkEquations, statedValues } from '../../src/arithmetic/calculator';
import { factsAbout, givensOf, mentionedNumbers } from '../../src/arithmetic/givens';
import { latexSpans } from '../../src/arithmetic/latex';
import { lex } from '../../src/arithmetic/lexer';
import { alignSteps, alignTokens } from '../../src/chain/align';
import { bodyOf } from '../../src/chain/body';
import { completionText } from '../../src/chain/completion';
import { conciseChain } from '../../src/chain/concise';
import { derive } from '../../src/chain/derivation';
import { failureCategory, firstWrongStep } from '../../src/chain/faults';
import {
  answerComesFirst,
  formFault,
  markedAnswers,
  otherAnswer,
  withoutAnswer,
  withoutLabels,
  writtenSteps,
} from '../../src/chain/form';
import { groundedness } from '../../src/chain/grounded';
import { isForeign } from '../../src/chain/language';
import { exactMatch, flexibleExtract, strictMatch } from '../../src/chain/lm-eval-filters';
import { completionExercise, reconstructionExercise } from '../../src/chain/mask';
import {
  answerLine,
  completePrompt,
  plainPrompt,
  reconstructPrompt,
  renderChain,
  renderCompletion,
  rewritePrompt,
  showsSteps,
} from '../../src/chain/prompts';
import { arrivesInWords, fillerShare, isCopy, isolatedEquation, ngrams } from '../../src/chain/prose';
import { splitSentences, trimSpan } from '../../src/chain/sentences';
import { partChain, placeChain, splitChain, stripCalculatorMarks } from '../../src/chain/split';
import { findDeparture } from '../../src/chain/teacher-departure';
import { givenIn, keyOf, numbersIn, operandsOf, teacherNumbers } from '../../src/chain/teacher-numbers';
import { counterpart } from '../../src/chain/teacher-step';
import { Random } from '../../src/random';

const question = 'Tom has 3 apples and buys 4 more. How many apples has he?';
const teacher = splitChain('He has 3.\nStep 1: 3 + 4 = 7\nStep 2: 7 * 2 = 14\nAnswer: 14');
const tokens = (text: string) => text.match(/.{1,4}/gs) ?? [];
/** The text in four parts: a chain of its length. */
function chainOf(text: string) {
  const quarter = Math.ceil(text.length / 4);
  const [thinking, one, two, answer] = [0, 1, 2, 3].map((i) => text.slice(i * quarter, (i + 1) * quarter));
  return { thinking, steps: [one, two], answer };
}
const last: Answer = { value: '14', kind: 'number', start: 0, end: 2 };

export const textFunctions: Record<string, (text: string) => unknown> = {
  answerBoxes: (text) => answerBoxes(text, 0, text.length).map((box) => contentOf(text, box)),
  chineseNumber,
  closing: (text) => closing(text, 0),
  dateIn,
  extractAnswer,
  'extractAnswer lenient': (text) => extractAnswer(text, 'lenient'),
  isComparable,
  isNumberWord,
  judge: (text) => judge(text, '14'),
  'judge of the gold': (text) => judge('The answer is 14.', text),
  numberInWords: (text) => numberInWords(text.split(' ')),
  openThinking,
  otherMeanings,
  parse,
  parseAnswer,
  partThinking,
  placeIn,
  plainDigits,
  'readingsOf a gold': (text) => readingsOf(text, true),
  sameAnswer: (text) => sameAnswer(text, text),
  'sameAnswer as another': (text) => sameAnswer(text, `${text} `),
  'sameAnswer as 14': (text) => sameAnswer(text, '14'),
  spelledAt: (text) => spelledAt(text, 0, 'group'),
  spokenPart,
  trimmed: (text) => trimmed(text, 0, text.length),
  usualNotation,
  verdictAtStart,
  wholeValue: (text) => wholeValue(text, { start: 0, end: text.length }),

  alignSteps: (text) => alignSteps(text.split('\n'), [...text.split('\n').reverse(), 'end']),
  answerComesFirst: (text) => answerComesFirst(text, { ...last, start: text.length, end: text.length }),
  alignTokens: (text) => alignTokens(tokens(text), tokens(`${text.slice(7)}abc`)),
  arrivesInWords: (text) => arrivesInWords(question, text, '14'),
  bodyOf: (text) => bodyOf(text).origin(text.length),
  checkEquations,
  completionText: (text) => completionText({ tokenTexts: tokens(text), finished: true }),
  completionExercise: (text) => completionExercise(splitChain(text), 0.5, new Random(1)),
  conciseChain: (text) => conciseChain(chainOf(text)),
  counterpart: (text) => {
    const half = text.slice(0, text.length / 2);
    return counterpart(chainOf(half), splitChain(half), 1);
  },
  departure: (text) => findDeparture(splitChain(text), teacher, question),
  'departure in one step': (text) => findDeparture(chainOf(text), teacher, question),
  "departure from a teacher's": (text) => findDeparture(teacher, chainOf(text), text),
  derive: (text) => derive(text, givensOf(question), question),
  exactMatch: (text) => exactMatch(text, text),
  factsAbout,
  failureCategory: (text) => failureCategory({ chain: splitChain(text), text, gold: '14', teacher, truncated: false }),
  firstWrongStep: (text) => firstWrongStep(splitChain(text), teacher, question),
  'firstWrongStep by the answer': (text) => firstWrongStep(chainOf(text), '14', text),
  flexibleExtract,
  formFault: (text) => formFault(text, text),
  givenIn,
  givensOf,
  groundedness: (text) => groundedness(question, text),
  'groundedness in a question': (text) => groundedness(text, text),
  fillerShare: (text) => fillerShare(question, text),
  isCopy: (text) => isCopy(text, ngrams(question)),
  isForeign: (text) => isForeign(text, [question, text]),
  isolatedEquation: (text) => isolatedEquation(question, text),
  keyOf,
  latexSpans,
  lex,
  markedAnswers: (text) => [...markedAnswers(text)],
  mentionedNumbers: (text) => mentionedNumbers(text, lex(text)),
  ngrams,
  numbersIn,
  operandsOf: (text) => statedValues(text).map((value) => operandsOf(text, value)),
  otherAnswer: (text) => otherAnswer(text, last),
  partChain,
  placeChain,
  prompts: (text) => {
    const exercise = { shownSteps: text.split('\n'), order: [], masked: [] };
    return [
      plainPrompt(text),
      reconstructPrompt(text, exercise),
      completePrompt(text, exercise),
      showsSteps(text),
      answerLine(text),
    ];
  },
  reconstructionExercise: (text) => reconstructionExercise(splitChain(text), {}, new Random(1)),
  renderChain: (text) => renderChain(chainOf(text)),
  renderCompletion: (text) => renderCompletion(chainOf(text), '</think>'),
  rewritePrompt: (text) => rewritePrompt(text, splitChain(text), { hideAnswer: true }),
  splitChain,
  splitSentences,
  statedValues,
  strictMatch,
  stripCalculatorMarks,
  teacherNumbers: (text) => teacherNumbers(chainOf(text), givenIn(question)),
  trimSpan: (text) => trimSpan(text, { start: 0, end: text.length }),
  withoutAnswer,
  withoutLabels,
  writtenSteps,
};
