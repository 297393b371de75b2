import Fraction from 'fraction.js';
import { operators as signs, vulgarFractions } from '../answers/commands';

/**
 * Words of arithmetic in prose and LaTeX, for reading answers and checking equations.
 *
 * - number: `value` is exact, `decimals` how many digits stand behind the point, `percent` whether % follows
 * - operator: `text` is one of + - * / ^, `source` what was written ("x", "\times", "divided by")
 * - equals: `text` is = or ≈
 * - open, close: round brackets, square brackets and LaTeX groups; fraction: \frac, with two groups to follow
 * - word: units, labels and all prose; variable: a letter that may be an unknown (x, 3R); other: what no arithmetic
 *   holds
 * - break: an end of a clause
 */
export type TokenKind =
  | 'number'
  | 'operator'
  | 'equals'
  | 'open'
  | 'close'
  | 'fraction'
  | 'word'
  | 'variable'
  | 'other'
  | 'break';

export interface Token {
  kind: TokenKind;
  text: string;
  start: number;
  end: number;
  value?: Fraction;
  decimals?: number;
  percent?: boolean;
  /** Whether white space stands before the token. */
  spaced: boolean;
}

/** Those of answers that are arithmetic, commands with their stroke, and as words. */
const operators = new Map([
  ...[...signs]
    .filter(([, meaning]) => '+-*/^'.includes(meaning))
    .map(([sign, meaning]): [string, string] => [/^[a-z]/.test(sign) ? `\\${sign}` : sign, meaning]),
  ['plus', '+'],
  ['minus', '-'],
  ['times', '*'],
  ['multiplied by', '*'],
  ['divided by', '/'],
]);
const equalities = new Map(
  Object.entries({
    '=': '=',
    '≈': '≈',
    '≅': '≈',
    '\\approx': '≈',
    '\\simeq': '≈',
    equals: '=',
  }),
);
const fractions = new Set(['\\frac', '\\dfrac', '\\tfrac', '\\cfrac']);
/** Commands that only change how their group or what follows looks. */
const looks = new Set(
  '\\text \\textbf \\textit \\textrm \\mathrm \\mathbf \\mathit \\boxed \\fbox \\left \\right \\big \\Big \\displaystyle \\mbox \\operatorname'.split(
    ' ',
  ),
);
/**
 * Digits beyond which a number is not read: no sum in a chain of thought needs more, and exact arithmetic on them is
 * slow.
 */
const maxDigits = 30;

/**
 * What a text is made of; `space` is all that carries no meaning: space, currency, quotes, bold marks, LaTeX's
 * delimiters.
 */
const shapes = {
  newline: /\n(?![ \t]{0,40}(?:&?=|\+|×|\\times))/,
  space: /[\s$€£¥"“”'’~`&]+|\\[,;:! ()$&]|\*\*/,
  clock: /\d{1,2}:\d{1,2}(?![\d.])/,
  number: /(?:\d{1,3}(?:(?:,(?:\\! ?)?|\{,\}|\\,|[ \u00a0\u2009\u202f])\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+/,
  command: /\\(?:[a-zA-Z]+|\\)/,
  subscript: /_(?:(?:\\[a-z]{1,10})?\{[^{}]{0,60}\}|\w)/,
  word: /(?<=\d)[xX](?=\d)|multiplied by\b|divided by\b|\p{L}[\p{L}\p{N}]*(?:['’]\p{L}+)?/u,
  clause: /\\[[\]]|[-=]{1,3}>|[<>≤≥≠→⇒∝|;:!?…—•]|!=/,
  sign: /[\s\S]/,
};
type Shape = keyof typeof shapes;
const shapeNames = Object.keys(shapes) as Shape[];
const pattern = new RegExp(shapeNames.map((name) => `(${shapes[name].source})`).join('|'), 'gu');

/** Reads a text once, from left to right; linear in its length. Brackets that have no partner become `other`. */
export function lex(text: string): Token[] {
  const tokens: Token[] = [];
  let spaced = true;
  let at = 0;
  const unwrapped = new Set<number>();
  const push = (kind: TokenKind, length: number, more: Partial<Token> = {}) => {
    tokens.push({ kind, text: text.slice(at, at + length), start: at, end: at + length, spaced, ...more });
    spaced = false;
    at += length;
  };
  const readers: Record<Shape, (found: string) => void> = {
    newline: (found) => {
      push('break', 0);
      skip(found);
    },
    space: skip,
    clock: (found) => push('other', found.length),
    number: pushNumber,
    command: pushCommand,
    subscript: (found) => push('word', found.length),
    word: pushWord,
    clause: (found) => push('break', found.length),
    sign: pushSign,
  };
  for (const match of text.matchAll(pattern)) {
    if (match.index < at) continue;
    at = match.index;
    const shape = shapeNames.find((_, i) => match[i + 1] !== undefined)!;
    readers[shape](match[0]);
  }
  return pairBrackets(tokens);

  function skip(found: string) {
    spaced ||= /\s/.test(found);
    at += found.length;
  }

  function pushNumber(source: string) {
    const digits = source.replace(/[^\d.]/g, '');
    const list = /^(?:,\d+)+/.exec(text.slice(at + source.length, at + source.length + maxDigits))?.[0];
    if (list) return push('other', source.length + list.length); // 1,08 and (1,2,3)
    if (digits.length > maxDigits || /^0\d\d/.test(digits)) return push('other', source.length); // 0730 is a time
    const [whole, part = ''] = digits.split('.');
    const value = new Fraction(BigInt(whole + part || '0'), 10n ** BigInt(part.length));
    const after = text.slice(at + source.length, at + source.length + 12);
    const percent = /^(?:\.{3}|…)?\s?\\?%/.exec(after)?.[0];
    if (percent) return push('number', source.length + percent.length, { value, decimals: part.length, percent: true });
    if (/^(?:st|nd|rd|th)\b/.test(after)) return push('word', source.length + 2);
    if (/^-[a-zA-Z]{2}/.test(after)) return push('word', source.length + /^[-\w]+/.exec(after)![0].length); // 6-inch
    push('number', source.length, { value, decimals: part.length });
  }

  function pushCommand(command: string) {
    const operator = operators.get(command);
    if (operator) return push('operator', command.length, { text: operator });
    const equality = equalities.get(command);
    if (equality) return push('equals', command.length, { text: equality });
    if (fractions.has(command)) return push('fraction', command.length);
    if (looks.has(command)) {
      // \text{ crayons}: words stand for themselves. A group with numbers stays one, as it may be a name.
      const group = /^\{[^{}\d]{0,80}\}/.exec(text.slice(at + command.length, at + command.length + 82))?.[0];
      if (group) unwrapped.add(at + command.length).add(at + command.length + group.length - 1);
      return skip(command);
    }
    push(
      /^\\(?:\\|quad|qquad|[RL]?[a-z]*rightarrow|Rightarrow|implies|iff|begin|end|hline|neq?|[lg]eq?)$/.test(command)
        ? 'break'
        : 'other',
      command.length,
    );
  }

  function pushWord(word: string) {
    const operator = operators.get(word);
    if (operator) return push('operator', word.length, { text: operator });
    const equality = equalities.get(word);
    if (equality) return push('equals', word.length, { text: equality });
    const last = tokens.at(-1);
    const adjoins = last?.kind === 'number' && !spaced && last.end === at;
    if (/^[xX]$/.test(word) && isProduct(last, at + 1)) return push('operator', 1, { text: '*' });
    // A letter alone is an unknown, but "a" and "I" are so only beside a number or an operator.
    const letter = word.length === 1 && (!'aAI'.includes(word) || /^ ?[-+*/^=×÷]/.test(text.slice(at + 1, at + 3)));
    const unknown = letter || (adjoins && (word.length === 1 || /^\p{Lu}+$/u.test(word)));
    push(unknown ? 'variable' : 'word', word.length);
  }

  /** An x between two quantities is a product: "12 x 3", "15x20", "(2 + 1) x $4". */
  function isProduct(last: Token | undefined, next: number): boolean {
    if (!last || !['number', 'close', 'word'].includes(last.kind)) return false;
    return /^[^\S\n]*(?:\\?\$|\\\(|€|£)?[^\S\n]*(?:[\d(.]|\\[dt]?frac)/.test(text.slice(next, next + 16));
  }

  function pushSign(sign: string) {
    if (unwrapped.has(at)) return skip(' ');
    const operator = operators.get(sign);
    if (operator) return push('operator', 1, { text: operator });
    const equality = equalities.get(sign);
    if (equality) return push('equals', text[at + 1] === '=' ? 2 : 1, { text: equality });
    if ('([{'.includes(sign)) return push('open', 1);
    if (')]}'.includes(sign)) return push('close', 1);
    const value = vulgarFractions.get(sign);
    if (value) return push('number', 1, { value, decimals: 0 });
    if (sign === '.' || sign === ',') return push('break', 1);
    if (sign === '¢') return push('word', 1, { text: 'cents' });
    push('other', sign.length);
  }
}

function pairBrackets(tokens: Token[]): Token[] {
  const open: Token[] = [];
  for (const token of tokens) {
    if (token.kind === 'open') open.push(token);
    else if (token.kind === 'close' && !open.pop()) token.kind = 'other';
  }
  for (const token of open) token.kind = 'other';
  return tokens;
}
