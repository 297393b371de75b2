import type { ArithmeticToken } from './lexer';
import { lex } from './lexer';

/** A number as a map key: without its sign and without floating-point rounding errors. */
export function numberKey(value: number): number {
  const size = Math.abs(value);
  return Number.isInteger(size) && size < 1e12 ? size : Number(size.toPrecision(12));
}

const smallNumberWords =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
seventeen eighteen nineteen'.split(' ');
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const cardinals = new Map([
  ...smallNumberWords.map((word, i): [string, number] => [word, i]),
  ...tens.map((word, i): [string, number] => [word, 20 + 10 * i]),
]);
const scales = new Map(
  Object.entries({ dozen: 12, hundred: 100, thousand: 1e3, million: 1e6, billion: 1e9, trillion: 1e12 }),
);
/** Words for a fraction, with the divisor. */
const shares = new Map(
  Object.entries({
    half: 2,
    halve: 2,
    halved: 2,
    halfway: 2,
    third: 3,
    quarter: 4,
    fourth: 4,
    fifth: 5,
    sixth: 6,
    seventh: 7,
    eighth: 8,
    ninth: 9,
    tenth: 10,
    twentieth: 20,
    hundredth: 100,
  }),
);
/** Words for multiples and amounts. */
const multiples = new Map(
  Object.entries({
    single: 1,
    once: 1,
    twice: 2,
    double: 2,
    pair: 2,
    couple: 2,
    both: 2,
    twin: 2,
    thrice: 3,
    triple: 3,
    trio: 3,
    triplet: 3,
    quadruple: 4,
    quadruplet: 4,
    quintuple: 5,
    again: 2,
    parents: 2,
    grandparents: 4,
    score: 20,
    weekend: 2,
    weekday: 5,
    century: 100,
    bicycle: 2,
    tricycle: 3,
    dime: 10,
    nickel: 5,
    fortnight: 14,
    square: 4,
    triangle: 3,
    rectangle: 2,
    quarters: 25,
    average: 2,
    mean: 2,
    perimeter: 2,
    cube: 6,
    leap: 366,
  }),
);

/** Common knowledge about things that a text names: seven days a week. */
const facts: [RegExp, number[]][] = [
  [/week|daily|\bdays?\b|sunday|monday|friday|saturday/i, [4, 5, 7, 24, 28, 30, 31, 52]],
  [
    /month|year|annual|quarterly|decade|january|february|march|april|june|july|august|october|december/i,
    [4, 10, 12, 30, 31, 28, 52, 360, 365],
  ],
  [/hour|minute|second|o'clock|\b[ap]\.?m\b|\d:\d\d|\bmph\b|time|night|morning|noon/i, [12, 24, 60, 3600]],
  [/inch|feet|foot|yard|mile/i, [3, 12, 36, 5280]],
  [/ounce|pound|\boz|\blbs?\b|\bcups?\b|pint|quart|gallon|spoon/i, [3, 4, 8, 16]],
  [/kilo|gram|lit(?:er|re)|met(?:er|re)|\b[ckm]m\b|\bkg\b|\bml\b|\btons?\b/i, [10, 1000, 2000]],
  [/cent|penn|dime|nickel|quarter|coin|dollar|\$|bill/i, [0.01, 0.05, 0.1, 0.25, 5, 10, 25]],
  [/angle|degree|circle|polygon|triangle/i, [3, 90, 180, 360]],
  [/egg|donut|doughnut|rose|dozen/i, [12]],
  [/square|rectang|table|car\b|cars|wheel|leg|dog|cat|cow|animal|room/i, [4]],
  [/hand|finger|toe/i, [5, 10, 20]],
  [/deck|cards/i, [4, 13, 52]],
  [/\bdice|\bdie\b|cube/i, [6]],
];

/** Numbers that need no source. */
export const freeNumbers: readonly number[] = [0, 1, 2, 100];

/** Common knowledge about the things that a text names. */
export const factsAbout = (text: string): number[] =>
  facts.flatMap(([occasion, numbers]) => (occasion.test(text) ? numbers : []));

/** The stem of a word, for the tables above: "thirds", "doubled", "quarter-". */
function lookUp(table: ReadonlyMap<string, number>, word: string): number | undefined {
  return ['', 's', 'd', 'ed', 'ing']
    .filter((ending) => word.endsWith(ending))
    .map((ending) => table.get(word.slice(0, word.length - ending.length)))
    .find((value) => value !== undefined);
}

/** The numbers in the words of a text: "twenty-five" is 25, "two hundred" 200, "three quarters" 3, 4 and 0.75. */
function wordNumbers(words: readonly string[]): number[] {
  const found: number[] = [];
  let sum = 0;
  let open = false;
  const close = () => {
    if (open) found.push(sum);
    [sum, open] = [0, false];
  };
  for (const word of words) {
    const [cardinal, scale] = [cardinals.get(word), scales.get(word.replace(/s$/, ''))];
    const share = lookUp(shares, word);
    const multiple = lookUp(multiples, word);
    if (cardinal !== undefined) {
      const room = sum % 100 === 0 || (cardinal < 10 && sum % 10 === 0 && sum % 100 > 10);
      if (open && !room) close();
      [sum, open] = [sum + cardinal, true];
    } else if (scale !== undefined) {
      found.push(scale);
      if (open) [sum, open] = [sum * scale, true];
    } else if (open && (word === 'and' || word === 'a')) continue;
    else {
      if (share !== undefined) {
        found.push(share, 1 / share);
        if (open) found.push(sum / share, sum + 1 / share);
      }
      if (multiple !== undefined) found.push(multiple);
      close();
    }
  }
  close();
  return found;
}

/** The numbers of a text's tokens as written, a/b also as its value, 5 thousand also as 5000. */
export function writtenNumbers(tokens: readonly ArithmeticToken[]): number[] {
  const found: number[] = [];
  tokens.forEach((token, i) => {
    // "a 6-inch board", "10-year-old"
    if (token.kind === 'word' && /^\d/.test(token.text)) found.push(Number.parseFloat(token.text.replace(/,/g, '')));
    if (token.kind !== 'number') return;
    const value = token.value!.valueOf();
    found.push(value);
    if (token.percent) found.push(value / 100);
    const [stroke, below] = [tokens[i + 1], tokens[i + 2]];
    if (stroke?.text === '/' && below?.kind === 'number' && below.value!.n > 0n)
      found.push(value / below.value!.valueOf());
    const scale = stroke?.kind === 'word' ? scales.get(stroke.text.toLowerCase().replace(/s$/, '')) : undefined;
    if (scale) found.push(value * scale);
  });
  return found;
}

const wordsOf = (text: string) => text.toLowerCase().match(/\p{L}+/gu) ?? [];

const cardinalNumbers = (words: readonly string[]) => words.flatMap((word) => cardinals.get(word) ?? []);

/** Numbers that a text mentions, in digits and in words. */
export function mentionedNumbers(text: string, tokens: readonly ArithmeticToken[]): number[] {
  return [...writtenNumbers(tokens), ...wordNumbers(wordsOf(text))];
}

/** Three times as many: four parts; her and three friends: four people. */
const includesThePerson =
  /\btimes\b|twice|double|triple|friend|sibling|brother|sister|cousin|child|kids|guest|people|person|others?\b|self|selves/i;

/** The number of items in a list of a text: "Ann, Ben and Carl" are three. */
function enumerations(text: string): number[] {
  return Array.from(
    text.matchAll(/((?:[^,.;:?!\n]{1,40},\s){1,12})[^,.;:?!\n]{0,40}?\b(?:and|or)\b/g),
    ([whole, list]) => {
      const commas = list.split(',').length - 1;
      return /,\s(?:and|or)$/.test(whole) ? commas + 1 : commas + 2;
    },
  );
}

/** The numbers that a solution may start from. */
export interface Givens {
  /**
   * Numbers of the question, in digits and in words, and their immediate variants (20 % off: 80, 0.8), each with the
   * number of the question that it comes from.
   */
  own: ReadonlyMap<number, number>;
  /** Common knowledge about things in the question, and 0, 1, 2 and 100: usable only together with its own numbers. */
  common: ReadonlySet<number>;
  /** The numbers stated in the question, except fractions, multiples and the smallest ones. */
  said: ReadonlySet<number>;
}

export function givensOf(question: string): Givens {
  const tokens = lex(question);
  const own = new Map<number, number>();
  const add = (value: number, root = value) => {
    if (!own.has(numberKey(value))) own.set(numberKey(value), numberKey(root));
  };
  const digits = writtenNumbers(tokens);
  const found = [...new Set(mentionedNumbers(question, tokens))];
  const percents = tokens.filter(({ percent }) => percent).map(({ value }) => value!.valueOf());
  const hundredths = new Set(/percent/i.test(question) ? [...percents, ...found] : percents);
  for (const one of hundredths)
    for (const made of [one, one / 100, 100 - one, 100 + one, 1 - one / 100, 1 + one / 100]) add(made, one);
  for (const value of found) add(value);
  const counts = found.filter((value) => Number.isInteger(value) && value > 0 && value <= 12);
  if (includesThePerson.test(question)) for (const count of counts) add(count + 1, count);
  for (const count of enumerations(question)) add(count);
  for (const [, a, b] of question.matchAll(/\b(\d{1,3}):(\d{1,3})\b/g))
    for (const one of [+a, +b, +a + +b]) add(one, +a);
  if (/ratio/i.test(question)) for (const a of counts) for (const b of counts) add(a + b, a);
  if (/\bcents?\b/i.test(question)) for (const value of found) add(value / 100, value);
  for (const [share, root] of [...own])
    if (share > 0 && share < 1) for (const made of [1 - share, 1 + share]) add(made, root);
  const said = [...digits, ...cardinalNumbers(wordsOf(question))].map(numberKey).filter((value) => value > 2);
  const common = new Set([...freeNumbers, ...factsAbout(question)].map(numberKey));
  return { own, common, said: new Set(said.map((value) => own.get(value) ?? value)) };
}
