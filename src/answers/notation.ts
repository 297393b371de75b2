/** Rewrites formulas and times in the notation of the parser: 5C2, "root 2", "half past three". */

/** Binomial coefficient (C) or number of arrangements (P) of k out of n; the text as `written` if k > n. */
function counting(written: string, n: string, kind: string, k: string): string {
  const [all, taken] = [Number(n), Number(k)];
  if (taken > all) return written;
  return kind === 'C' ? ` \\binom{${all}}{${taken}} ` : ` \\frac{${all}!}{${all - taken}!} `;
}

const number = '\\{?(\\d{1,4})\\}?';
const letter = '(?:\\\\(?:mathrm|text|rm)\\s?)?\\{?([CP])\\}?';
/** ^5C_2, {}_5C_2, _{5}C_{2} */
const indexed = new RegExp(`(?:\\{\\})?[\\^_]\\s?${number}\\s?${letter}_?${number}(?![\\d.])`, 'g');
/** 5C2, 5P2 */
const plain = /(?<![\p{L}\d.,^_{])(\d{1,4}) ?([CP]) ?(\d{1,4})(?![\p{L}\d.])/gu;
/** C(5, 2), P(5, 2) */
const called = /(?<![\p{L}\d\\])([CP])\((\d{1,4}), ?(\d{1,4})\)/gu;
/** C_5^2 and C^2_5: the larger number is n. */
const stacked = new RegExp(`(?<![\\p{L}\\d\\\\])([CPA])(?:_${number}\\^${number}|\\^${number}_${number})`, 'gu');

const spoken: [RegExp, string][] = [
  [/\{([^{}]{1,20})\\choose(?![a-zA-Z])([^{}]{1,20})\}/g, '\\binom{$1}{$2}'],
  [/(?<![\w.])(\d{1,4})\s{0,3}\\?choose\s{1,3}(\d{1,4})(?![\d.])/g, '\\binom{$1}{$2}'],
  [/(?:\bthe )?\b(?:square )?root (?:of )?(\d{1,9}(?:\.\d{1,9})?)(?!\.?\d|\s*(?:[/^*+×-]|\\))/gi, '\\sqrt{$1}'],
  [/(?:\bthe )?\bcube \\sqrt\{(\d{1,9}(?:\.\d{1,9})?)\}/gi, '\\sqrt[3]{$1}'],
  [/(?<![\w.])(\d{1,9}) to the (?:power of (\d{1,4})|(\d{1,4})(?:th|st|nd|rd) power)(?!\d)/gi, '$1^{$2$3}'],
  [/(?<![\w.])(\d{1,4}) factorial\b/gi, '$1!'],
  [/(?<=[\w)])\*\*(?=[-\w(])(?!.*\*\*)/g, '^'],
  [/^\s*(\d[\d.,]{0,9})((?: ?°| degrees?)?(?: ?[CF]| celsius| fahrenheit)?) below zero\s*$/i, '-$1$2'],
  [/^\s*(?:at |12 )?(?:12:00 )?noon\s*$/i, '12:00 PM'],
  [/^\s*(?:at |12 )?(?:12:00 )?midnight\s*$/i, '12:00 AM'],
];

const hours = 'one two three four five six seven eight nine ten eleven twelve'.split(' ');
const pastHour = new RegExp(`^\\s*(?:at )?(?:a )?(quarter|half) (past|to) (\\d{1,2}|${hours.join('|')})(?!\\w)`, 'i');

/** "Half past three" as 3:30, "quarter to four" as 3:45. */
function timeOf(written: string, part: string, side: string, spokenHour: string): string {
  const hour = Number(spokenHour) || hours.indexOf(spokenHour.toLowerCase()) + 1;
  const minutes = part.toLowerCase() === 'half' ? 30 : 15;
  const past = side.toLowerCase() === 'past';
  if (hour > 12 || (!past && minutes === 30)) return written;
  return past ? `${hour}:${minutes}` : `${hour === 1 ? 12 : hour - 1}:45`;
}

/** The text in the notation of the parser: rewrites only what has this meaning in every question. */
export function usualNotation(text: string): string {
  const counted = text.replace(indexed, counting).replace(pastHour, timeOf);
  return spoken.reduce((done, [pattern, by]) => done.replace(pattern, by), counted);
}

/** P(3, 4), a point with a name. */
const namedPoint = /^\s*\$?[A-Z]['′]?\s?(\([^()]{3,60}\))\$?\s*$/;

/**
 * Other meanings of an answer: C(5,2), 5C2 and C_5^2 as numbers of choices, P(3, 4) as a point. Not for references,
 * where the letter may be an unknown or a function.
 */
export function otherMeanings(text: string): string[] {
  const point = namedPoint.exec(text)?.[1];
  const chosen = text
    .replace(plain, counting)
    .replace(called, (written, kind, n, k) => counting(written, n, kind, k))
    .replace(stacked, (written, kind, ...numbers) => {
      const [a, b] = numbers.slice(0, 4).filter((one) => one !== undefined);
      const [n, k] = Number(a) < Number(b) ? [b, a] : [a, b];
      return counting(written, n, kind === 'A' ? 'P' : kind, k);
    });
  return [...(chosen === text ? [] : [chosen]), ...(point ? [point] : [])];
}
