import Fraction from 'fraction.js';
import { operators as signs, vulgarFractions } from '../answers/commands';
import { memoized } from '../memoized';

/**
 * Tokens of arithmetic in prose and LaTeX, for reading answers and checking equations.
 *
 * - number: `value` is exact, `decimals` the number of decimal places, `percent` whether % follows
 * - operator: `text` is one of + - * / ^, `source` the original ("x", "\times", "divided by")
 * - equals: `text` is = or ≈
 * - open, close: round brackets, square brackets and LaTeX groups; fraction: \frac, followed by two groups
 * - word: units, labels and all prose; variable: a letter that may be an unknown (x, 3R); other: not arithmetic
 * - break: an end of a clause
 */
type ArithmeticTokenKind =
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

export interface ArithmeticToken {
  kind: ArithmeticTokenKind;
  text: string;
  start: number;
  end: number;
  value?: Fraction;
  decimals?: number;
  percent?: boolean;
  /** Whether white space precedes the token. */
  spaced: boolean;
}

/** The arithmetic commands of answers, with backslash and as words. */
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
/** Commands that only change the appearance of their argument. */
const formattingCommands = new Set(
  (
    '\\text \\textbf \\textit \\textrm \\mathrm \\mathbf \\mathit \\boxed \\fbox ' +
    '\\left \\right \\big \\Big \\displaystyle \\mbox \\operatorname'
  ).split(' '),
);
/**
 * Numbers with more digits are not read: no calculation in a chain of thought needs more, and exact arithmetic on them
 * is slow.
 */
const maxDigits = 30;
/** Words beyond which a text is not read: a third of a megabyte of prose, twice the longest chains of thought. */
const maxTokens = 60_000;

/**
 * The token classes of a text; `space` includes everything without meaning: spaces, currency signs, quotes, bold marks,
 * LaTeX delimiters.
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

/** Reads up to `maxTokens` words in one pass, linear in the length. Brackets without a partner become `other`. */
export const lex = memoized((text): readonly ArithmeticToken[] => pairBrackets(new Lexer(text).read()), 1 << 20);

/** The value of digits with a decimal point. */
const numberOf = memoized((digits) => {
  const [whole, part = ''] = digits.split('.');
  return { value: new Fraction(BigInt(whole + part || '0'), 10n ** BigInt(part.length)), decimals: part.length };
}, 1 << 16);

class Lexer {
  private readonly tokens: ArithmeticToken[] = [];
  private readonly unwrapped = new Set<number>();
  private spaced = true;
  private at = 0;

  constructor(private readonly text: string) {}

  read(): ArithmeticToken[] {
    for (const match of this.text.matchAll(pattern)) {
      if (match.index < this.at) continue;
      if (this.tokens.length >= maxTokens) break;
      this.at = match.index;
      let shape = 0;
      while (match[shape + 1] === undefined) shape++;
      this.take(shapeNames[shape], match[0]);
    }
    return this.tokens;
  }

  private take(shape: Shape, found: string) {
    switch (shape) {
      case 'newline':
        this.push('break', 0);
        return this.skip(found);
      case 'space':
        return this.skip(found);
      case 'clock':
        return this.push('other', found.length);
      case 'number':
        return this.pushNumber(found);
      case 'command':
        return this.pushCommand(found);
      case 'subscript':
        return this.push('word', found.length);
      case 'word':
        return this.pushWord(found);
      case 'clause':
        return this.push('break', found.length);
      case 'sign':
        return this.pushSign(found);
    }
  }

  private push(kind: ArithmeticTokenKind, length: number, more?: Partial<ArithmeticToken>) {
    const { at, spaced } = this;
    const token = { kind, text: this.text.slice(at, at + length), start: at, end: at + length, spaced };
    this.tokens.push(more ? Object.assign(token, more) : token);
    this.spaced = false;
    this.at += length;
  }

  /** The text after `skipped` characters, up to this length. */
  private ahead(skipped: number, length: number): string {
    return this.text.slice(this.at + skipped, this.at + skipped + length);
  }

  private skip(found: string) {
    this.spaced ||= /\s/.test(found);
    this.at += found.length;
  }

  private pushNumber(source: string) {
    const digits = source.replace(/[^\d.]/g, '');
    const list = /^(?:,\d+)+/.exec(this.ahead(source.length, maxDigits))?.[0];
    if (list) return this.push('other', source.length + list.length); // 1,08 and (1,2,3)
    if (digits.length > maxDigits || /^0\d\d/.test(digits)) return this.push('other', source.length); // 0730 is a time
    const value = numberOf(digits);
    const after = this.ahead(source.length, 12);
    const percent = /^(?:\.{3}|…)?\s?\\?%/.exec(after)?.[0];
    if (percent) return this.push('number', source.length + percent.length, { ...value, percent: true });
    if (/^(?:st|nd|rd|th)\b/.test(after)) return this.push('word', source.length + 2);
    // 6-inch
    if (/^-[a-zA-Z]{2}/.test(after)) return this.push('word', source.length + /^[-\w]+/.exec(after)![0].length);
    this.push('number', source.length, value);
  }

  private pushCommand(command: string) {
    const operator = operators.get(command);
    if (operator) return this.push('operator', command.length, { text: operator });
    const equality = equalities.get(command);
    if (equality) return this.push('equals', command.length, { text: equality });
    if (fractions.has(command)) return this.push('fraction', command.length);
    if (formattingCommands.has(command)) {
      // \text{ crayons} gives its words as tokens. A group with numbers is one token, as it may be a name.
      const group = /^\{[^{}\d]{0,80}\}/.exec(this.ahead(command.length, 82))?.[0];
      if (group) this.unwrapped.add(this.at + command.length).add(this.at + command.length + group.length - 1);
      return this.skip(command);
    }
    this.push(
      /^\\(?:\\|quad|qquad|[RL]?[a-z]*rightarrow|Rightarrow|implies|iff|begin|end|hline|neq?|[lg]eq?)$/.test(command)
        ? 'break'
        : 'other',
      command.length,
    );
  }

  private pushWord(word: string) {
    const operator = operators.get(word);
    if (operator) return this.push('operator', word.length, { text: operator });
    const equality = equalities.get(word);
    if (equality) return this.push('equals', word.length, { text: equality });
    const last = this.tokens.at(-1);
    const adjoins = last?.kind === 'number' && !this.spaced && last.end === this.at;
    if (/^[xX]$/.test(word) && this.isProduct(last)) return this.push('operator', 1, { text: '*' });
    // A single letter is an unknown, but "a" and "I" only beside a number or an operator.
    const letter = word.length === 1 && (!'aAI'.includes(word) || /^ ?[-+*/^=×÷]/.test(this.ahead(1, 2)));
    const unknown = letter || (adjoins && (word.length === 1 || /^\p{Lu}+$/u.test(word)));
    this.push(unknown ? 'variable' : 'word', word.length);
  }

  /** An x between two quantities is a multiplication: "12 x 3", "15x20", "(2 + 1) x $4". */
  private isProduct(last: ArithmeticToken | undefined): boolean {
    if (!last || !['number', 'close', 'word'].includes(last.kind)) return false;
    return /^[^\S\n]*(?:\\?\$|\\\(|€|£)?[^\S\n]*(?:[\d(.]|\\[dt]?frac)/.test(this.ahead(1, 16));
  }

  private pushSign(sign: string) {
    if (this.unwrapped.has(this.at)) return this.skip(' ');
    const operator = operators.get(sign);
    if (operator) return this.push('operator', 1, { text: operator });
    const equality = equalities.get(sign);
    if (equality) return this.push('equals', this.text[this.at + 1] === '=' ? 2 : 1, { text: equality });
    if ('([{'.includes(sign)) return this.push('open', 1);
    if (')]}'.includes(sign)) return this.push('close', 1);
    const value = vulgarFractions.get(sign);
    if (value) return this.push('number', 1, { value, decimals: 0 });
    if (sign === '.' || sign === ',') return this.push('break', 1);
    if (sign === '¢') return this.push('word', 1, { text: 'cents' });
    this.push('other', sign.length);
  }
}

function pairBrackets(tokens: ArithmeticToken[]): ArithmeticToken[] {
  const open: ArithmeticToken[] = [];
  for (const token of tokens) {
    if (token.kind === 'open') open.push(token);
    else if (token.kind === 'close' && !open.pop()) token.kind = 'other';
  }
  for (const token of open) token.kind = 'other';
  return tokens;
}
