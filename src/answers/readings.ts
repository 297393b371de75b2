/** The possible trees of an answer: usually one, several if a comma may separate, group or start decimals. */
import { type DayOfYear, dateIn } from './dates';
import { type Node, whole } from './node';
import { otherMeanings, usualNotation } from './notation';
import { placeIn } from './number-words';
import { type CommaReading, plainDigits } from './numbers';
import { longestAnswer, parse } from './parser';

const cache = new Map<string, readonly Node[]>();
const cacheSize = 500;

/**
 * All readings of a text; none if it is not understood. The reference is assumed to be well written: there "-2,1" is
 * two numbers.
 */
export function readingsOf(text: string, isGold: boolean): readonly Node[] {
  if (text.length > longestAnswer) return [];
  const key = `${isGold}${text}`;
  const known = cache.get(key);
  if (known) return known;
  const readings = read(text, isGold);
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value!);
  cache.set(key, readings);
  return readings;
}

function read(written: string, isGold: boolean): Node[] {
  const text = usualNotation(withoutRepeats(onceEscaped(written)).replaceAll('{:}', ':'));
  const share = /^\s*(\d{1,9})\s+(?:in|out of)\s+(\d{1,9})\s*$/.exec(text);
  if (share) return [parse(`${share[1]}/${share[2]}`)].filter((node) => node !== null);
  const range = /^\s*\$?(\d{1,9})[-–](\d{1,9})\$?\s*$/.exec(text);
  if (range && Number(range[1]) < Number(range[2])) {
    const [from, to] = [parse(range[1])!, parse(range[2])!];
    return [{ kind: 'range', from, to }];
  }
  const date = dateIn(text);
  if (date) return dateReadings(date, isGold);
  const place = placeIn(text);
  if (place !== null) return [{ kind: 'text', text }, whole(place)];
  const height = /^\s*(\d{1,3})\s?['’′]\s?(\d{1,2})\s?(?:["”″]|'')?\s*$/.exec(text);
  if (height) return [parse(`${height[1]} feet ${height[2]} inches`)!];
  const choice = choiceIn(text);
  if (choice) return [choice];
  const readings = commaReadings(text, isGold).map((comma) => parse(text, { comma }));
  // In an answer "5m" may be five metres; in the reference a letter directly after a number is an unknown.
  if (!isGold && /\d[mghslL](?![a-zA-Z])/.test(text)) readings.push(parse(text, { tightUnits: true }));
  if (!isGold) for (const other of otherMeanings(text)) readings.push(parse(other));
  // "3 x 2" may also be the size of a matrix.
  if (size.test(text)) readings.push(parse(text.replace(/x|×|\\times/g, ' by ')));
  return readings.filter((node) => node !== null);
}

const size = /^\s*(?:\$\s*)?\d+(?:\s*(?:x|×|\\times)\s*\d+){1,2}\s*(?:\$\s*)?$/;

/** For a reference of 4, "May 4" is 4; for one of "May 4", nothing but that day is. */
const dateReadings = ({ text, day }: DayOfYear, isGold: boolean): Node[] =>
  isGold ? [{ kind: 'text', text }] : [{ kind: 'text', text }, whole(day)];

function commaReadings(written: string, isGold: boolean): CommaReading[] {
  const text = plainDigits(written);
  if (!/\d,\d/.test(text)) return ['group'];
  const decimal = isGold ? /(?<![\d,.])(?:\d+,\d{1,2}|\d+,\d{4,}|0,\d+)(?![\d,.])/ : /(?<![\d,.])\d+,\d+(?![\d,.])/;
  const thousands = /(?<![\d,])(?!0,)\d{1,3}(?:,\d{3})+(?![\d,])|\d(?:,\d{2})+,\d{3}/.test(text);
  const list: CommaReading[] = ['list'];
  const single = isGold ? /(?<![\d,.])\d+,\d(?![\d,.])/.test(text) : false;
  if (decimal.test(text) && !single && !thousands) list.unshift('decimal');
  return thousands || /\d\.\d{3},\d/.test(text) ? ['group', ...list] : list;
}

/** LaTeX that was escaped twice: "\\frac" with two backslashes. */
function onceEscaped(text: string): string {
  const twice =
    /\\\\(?=(?:left|right|[dt]?frac|sqrt|pi|leq?|geq?|text|boxed|cup|cap|infty|times|cdot|pm|in|quad|mathrm|circ)(?![a-zA-Z]))/;
  return twice.test(text) && !/(?<!\\)\\[a-zA-Z]/.test(text) ? text.replaceAll('\\\\', '\\') : text;
}

/** 0.1\overline{6} as a fraction. */
const withoutRepeats = (text: string) =>
  text.replace(/(?<!\d)(\d{0,9})\.(\d{0,9})\\(?:overline|bar|dot)\{(\d{1,9})\}/g, (_, ...[whole, before, again]) => {
    const over = BigInt(`${whole}${before}${again}`) - BigInt(`${whole}${before}` || 0);
    return `\\frac{${over}}{${'9'.repeat(again.length)}${'0'.repeat(before.length)}}`;
  });

const looks = /\\(?:text|textbf|mathbf|mathrm|mbox|boxed|bf|rm)(?![a-zA-Z])\s*/g;

/** "(C)", "C. 42", "(C) 42", "Option C", "\textbf{(C)}\ 42". A single letter is both an unknown and a choice. */
function choiceIn(text: string): Node | null {
  if (!/^[\s$*\\({[]*(?:\\?[a-z]+\{?[\s\\(]*)?[A-Za-z]/.test(text)) return null;
  const plain = text
    .replace(looks, '')
    .replace(/\\[,;:! ]|[$*~]|\\[()[\]]/g, ' ')
    .replace(/^\{([^{}]*)\}$/, '$1')
    .replace(/^[\s{]*\(?\s*(\(?[A-Za-z]\)?)\s*\}/, '$1 ')
    .trim();
  const found =
    /^(?:(?:option|choice|answer)\s+)?(?:\(([A-Za-z])\)|([A-Za-z])\)|([A-Z])[.:](?=\s|$))\s*(\S[\s\S]*)?$/i.exec(plain);
  const named = found ?? /^(?:option|choice)\s+()()([A-Za-z])\b[.:]?\s*(\S[\s\S]*)?$/i.exec(plain);
  if (!named) return null;
  const letter = (named[1] ?? named[2] ?? named[3] ?? '').toUpperCase() || named[3];
  if (!letter) return null;
  const rest = named[4]?.replace(/^[=:]\s*/, '').replace(/^\}+/, '');
  if (rest && /^[-+*/^=<>,_']|^\\(?:cdot|times|leq?|geq?|in)\b/.test(rest)) return null; // (x) + 1
  const tree = rest ? (parse(rest) ?? { kind: 'text' as const, text: rest }) : undefined;
  return { kind: 'choice', letter, ...(tree && { rest: tree }) };
}
