/** Parses spelled numbers: separators of several countries, other digits, words. */
import Fraction from 'fraction.js';

/**
 * The meaning of an ambiguous comma between digits: it groups thousands ("1,234"), separates list items ("3,4"), or
 * starts the decimals ("2,5").
 */
export type CommaReading = 'group' | 'list' | 'decimal';

export interface Spelled {
  value: Fraction;
  /** Number of decimal places. */
  decimals: number;
  /** Number of code units consumed. */
  length: number;
  /** Without thousands separators; a decimal comma stays. */
  digits: string;
}

/** Numbers with more digits are not read. */
const maxDigits = 200;
const space = '[ \\u00a0\\u2009\\u202f]';
const shapes = {
  /** 1,234,567.5 with one kind of separator. */
  grouped: new RegExp(
    `\\d{1,3}(?:(?:(?:,\\\\! ?| ?\\{, ?\\} ?|\\\\,|${space}|['’])\\d{3})+)(?![\\d])(?:\\.\\d+)?`,
    'y',
  ),
  commas: /\d{1,3}(?:,\d{3})+(?![\d])(?:\.\d+)?/y,
  /** 1,00,000 as in India. */
  indian: /\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])(?:\.\d+)?/y,
  /** 1.234,5 and 1.234.567. */
  european: /\d{1,3}(?:\.\d{3})+,\d+(?![\d,.])|\d{1,3}(?:\.\d{3}){2,}(?![\d,.])/y,
  decimalComma: /\d+(?:,|\{,\})\d+(?![\d,.]\d|,\d)/y,
  bracedComma: /\d+\{,\}\d+(?!\d)/y,
  plain: /\d+(?:\.\d+)?|\.\d+/y,
};

/** The number at `at`, or null. Scientific "1e-3" is one number. */
export function spelledAt(text: string, at: number, comma: CommaReading): Spelled | null {
  const match = (shape: RegExp) => {
    shape.lastIndex = at;
    return shape.exec(text)?.[0];
  };
  const european = comma === 'list' ? undefined : match(shapes.european);
  if (european) return exactly(european.replaceAll('.', '').replace(',', '.'), european);
  const grouped =
    match(shapes.grouped) ?? (comma === 'list' ? undefined : (match(shapes.indian) ?? match(shapes.commas)));
  if (grouped && !(comma === 'decimal' && /^\d+,\d+$/.test(grouped)) && !/^0,/.test(grouped))
    return withExponent(text, at, grouped.replace(/[^\d.]/g, ''), grouped.length);
  const decimal = match(comma === 'list' ? shapes.bracedComma : shapes.decimalComma);
  if (decimal) return exactly(decimal.replace(/\{?,\}?/, '.'), decimal);
  const plain = match(shapes.plain);
  const recurring = plain && recurringAt(text, at, plain);
  if (recurring) return recurring;
  return plain ? withExponent(text, at, plain, plain.length) : null;
}

const ellipsis = /\s?(?:\.{3}|…|\\l?dots(?![a-zA-Z]))/y;

/** "0.1666..." is 1/6: a digit three times, or several digits twice, and an ellipsis. */
function recurringAt(text: string, at: number, plain: string): Spelled | null {
  ellipsis.lastIndex = at + plain.length;
  const dots = ellipsis.exec(text)?.[0];
  const [whole, part = ''] = plain.split('.');
  const found =
    dots && part.length < 40 ? (/^(\d*?)(\d)\2{2,}$/.exec(part) ?? /^(\d*?)(\d{2,6}?)\2+$/.exec(part)) : null;
  if (!found) return null;
  const [, once, again] = found;
  const over = 10n ** BigInt(once.length) * (10n ** BigInt(again.length) - 1n);
  const value = new Fraction(BigInt(whole + once + again) - BigInt(whole + once), over);
  return { value, decimals: 0, length: plain.length + dots!.length, digits: plain + dots };
}

const exponent = /[eE][-+−]?\d{1,4}(?![\d\p{L}])/uy;

function withExponent(text: string, at: number, digits: string, length: number): Spelled | null {
  exponent.lastIndex = at + length;
  const power = exponent.exec(text)?.[0];
  const spelled = exactly(digits, text.slice(at, at + length));
  if (!spelled || !power) return spelled && { ...spelled, digits };
  const n = Number(power.slice(1).replace('−', '-'));
  if (Math.abs(n) > 300) return null;
  const scale = new Fraction(10n ** BigInt(Math.abs(n)));
  const value = n < 0 ? spelled.value.div(scale) : spelled.value.mul(scale);
  return { value, decimals: 0, length: length + power.length, digits: digits + power };
}

function exactly(digits: string, written: string): Spelled | null {
  if (digits.length > maxDigits) return null;
  const [whole, part = ''] = digits.split('.');
  const value = new Fraction(BigInt(whole + part || '0'), 10n ** BigInt(part.length));
  return { value, decimals: part.length, length: written.length, digits: written };
}

const ones =
  'zero one two three four five six seven eight nine ten eleven twelve ' +
  'thirteen fourteen fifteen sixteen seventeen eighteen nineteen';
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety';
const words = new Map<string, number>([
  ...ones.split(' ').map((word, i): [string, number] => [word, i]),
  ...tens.split(' ').map((word, i): [string, number] => [word, 20 + 10 * i]),
]);
const multipliers = new Map(Object.entries({ hundred: 100n, thousand: 1000n, million: 10n ** 6n, billion: 10n ** 9n }));

/** "five", "forty", "hundred". */
export const isNumberWord = (word: string) => words.has(word.toLowerCase()) || multipliers.has(word.toLowerCase());

/** Maximum words of a number. */
export const longestNumber = 12;

/** The integer spelled by the first of these words ("one hundred and five"), and the number of words; null for none. */
export function numberInWords(spoken: readonly string[]): { value: bigint; words: number } | null {
  let [total, group, used] = [0n, 0n, 0];
  for (let i = 0; i < Math.min(spoken.length, longestNumber); i++) {
    const word = spoken[i];
    const small = words.get(word) ?? (word === 'a' && multipliers.has(spoken[i + 1]) && used === 0 ? 1 : undefined);
    const factor = multipliers.get(word);
    if (small !== undefined) {
      // "twenty five" is one number, "five six" are two.
      const fits = used === 0 || multipliers.has(spoken[i - 1]) || spoken[i - 1] === 'and';
      const unit = group % 100n >= 20n && group % 10n === 0n && small > 0 && small < 10 && spoken[i - 1] !== 'and';
      if (!fits && !unit) break;
      group += BigInt(small);
    } else if (factor !== undefined && used > 0 && spoken[i - 1] !== 'and') {
      if (factor === 100n) group *= factor;
      else [total, group] = [total + group * factor, 0n];
    } else if (!(word === 'and' && multipliers.has(spoken[i - 1]) && words.has(spoken[i + 1] ?? ''))) break;
    used = i + 1;
  }
  return used > 0 ? { value: total + group, words: used } : null;
}

/** Words after a number that multiply it. */
export const scaleWords = new Map<string, Fraction>(
  Object.entries({
    hundred: 100,
    thousand: 1e3,
    million: 1e6,
    billion: 1e9,
    trillion: 1e12,
    quadrillion: 1e15,
    tens: 10,
    doz: 12,
    mn: 1e6,
    bn: 1e9,
    mln: 1e6,
    mio: 1e6,
    hundreds: 100,
    thousands: 1e3,
    millions: 1e6,
    billions: 1e9,
    trillions: 1e12,
    lakh: 1e5,
    lakhs: 1e5,
    crore: 1e7,
    dozen: 12,
    dozens: 12,
    crores: 1e7,
    万: 1e4,
    萬: 1e4,
    亿: 1e8,
    億: 1e8,
    千: 1e3,
    百: 100,
    만: 1e4,
    억: 1e8,
    Million: 1e6,
    Millionen: 1e6,
    millones: 1e6,
    Tausend: 1e3,
    mil: 1e3,
    mille: 1e3,
    Dutzend: 12,
    docena: 12,
  }).map(([word, factor]) => [word, new Fraction(factor)]),
);

/** Words after a number that make it a fraction: 2 thirds, 5 hundredths. */
export const partWords = new Map<string, Fraction>(
  'half third quarter fifth sixth seventh eighth ninth tenth'
    .split(' ')
    .flatMap((word, i): [string, Fraction][] => [[word, new Fraction(1, i + 2)]])
    .concat([
      ['fourth', new Fraction(1, 4)],
      ['hundredth', new Fraction(1, 100)],
      ['thousandth', new Fraction(1, 1000)],
    ])
    .flatMap(([word, part]): [string, Fraction][] => [
      [word, part],
      [word === 'half' ? 'halves' : `${word}s`, part],
    ]),
);

const chineseDigits = '零一二三四五六七八九';
const chineseUnits = new Map([
  ['十', 10n],
  ['百', 100n],
  ['千', 1000n],
]);

/** 四十二 is 42, 四分之三 is 3/4; null for other words. */
export function chineseNumber(word: string): Fraction | null {
  const parts = word.split('分之').map(chineseWhole);
  const [under, over] = parts;
  if (under === null || over === null || parts.length > 2) return null;
  if (over === undefined) return new Fraction(under);
  return under === 0n ? null : new Fraction(over, under);
}

/** 三百零五 is 305, 一万二千 is 12000. */
function chineseWhole(word: string): bigint | null {
  if (!/^[零一二三四五六七八九两十百千万亿]{1,16}$/.test(word)) return null;
  let [total, section, digit] = [0n, 0n, 0n];
  for (const sign of word.replaceAll('两', '二')) {
    const unit = chineseUnits.get(sign);
    if (unit) [section, digit] = [section + (digit === 0n && section === 0n ? 1n : digit) * unit, 0n];
    else if (sign === '万' || sign === '亿')
      [total, section, digit] = [(total + section + digit) * (sign === '万' ? 10n ** 4n : 10n ** 8n), 0n, 0n];
    else digit = BigInt(chineseDigits.indexOf(sign));
  }
  return total + section + digit;
}

/** Converts digits of other scripts to ASCII, one code unit for one. */
export function plainDigits(text: string): string {
  return /[٠-٩۰-۹०-९০-৯๐-๙０-９]/.test(text)
    ? text.replace(/[٠-٩۰-۹०-९০-৯๐-๙０-９]/g, (digit) => String.fromCharCode(48 + digitValue(digit.charCodeAt(0))))
    : text;
}

/** The zeros of Arabic, Persian, Devanagari, Bengali, Thai and full-width digits. */
const zeros = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10];
const digitValue = (code: number) => code - zeros.find((zero) => code >= zero && code < zero + 10)!;
