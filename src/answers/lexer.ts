/** Tokenizes an answer in LaTeX or plain text. */
import type Fraction from 'fraction.js';
import { amountAbbreviations } from './abbreviations';
import { functions, operators, relations, symbols, vulgarFractions } from './commands';
import {
  type CommaReading,
  chineseNumber,
  isNumberWord,
  partWords,
  plainDigits,
  scaleWords,
  spelledAt,
} from './numbers';
import { unitNamed } from './units';

type TokenKind =
  | 'number'
  | 'letter'
  | 'word'
  | 'function'
  | 'command'
  | 'operator'
  | 'relation'
  | 'open'
  | 'close'
  | 'bar'
  | 'separator'
  | 'currency'
  | 'environment'
  | 'cell'
  | 'row'
  | 'stop';

/** `text` is the canonical form: "≤" for \leq, "*" for \times, the bare name for commands and words. */
export interface Token {
  kind: TokenKind;
  text: string;
  start: number;
  end: number;
  value?: Fraction;
  decimals?: number;
  digits?: string;
  /** Whether white space precedes it. */
  spaced: boolean;
  /** Whether it is inside \text{} or a similar command. */
  upright: boolean;
}

const dress =
  /\\(?:text|textbf|textit|textrm|textnormal|textsf|texttt|mathrm|mathbf|mathit|mathsf|operatorname\*?|mbox|hbox|boldsymbol|bm|emph|underline|boxed|fbox|framebox|ensuremath|mathop|displaystyle)(?![a-zA-Z])\s*/y;
const blank =
  /(?:\s|[~\u200b\u00a0\u2009\u202f\u2060]|\\[,;:!> ]|\\(?:quad|qquad|displaystyle|textstyle|left|right|middle|[bB]ig{1,2}[lrm]?|limits|nolimits|hfill|hspace\{[^}]{0,20}\}|nonumber)(?![a-zA-Z])|\*\*|__|`|\\[()[\]]|\\(?=\s|$))+/y;
const command = /\\(?:[a-zA-Z]+|[\\{}%$|&#_])/y;
const letters = /\p{L}+(?:['’]\p{L}+)?/uy;
const clock = /(?<![\d:])\d{1,2}:[0-5]\d(?![\d:])/y;
/** The ending of 5th and 5^{\text{th}}. */
const ordinal = /(?:\^?\{?(?:\\text\{)?)(?:st|nd|rd|th)(?![a-zA-Z])\}{0,2}/y;
const comparison = /<=|>=|!=|==|:=|≈|[=<>≤≥≠∈≡≅⩽⩾∼]/y;

/** Reads a text once, from left to right. `comma` is the meaning of a comma between digits. */
export function lex(source: string, comma: CommaReading): Token[] {
  return new Lexer(plainDigits(source), comma).read();
}

class Lexer {
  private readonly tokens: Token[] = [];
  private readonly groups: { end: number; upright: boolean }[] = [];
  private readonly lists: boolean;
  private readonly money: boolean;
  private at = 0;
  private spaced = true;
  private depth = 0;
  private ends: Map<number, number> | undefined;

  constructor(
    private readonly text: string,
    private readonly comma: CommaReading,
  ) {
    this.lists = !text.includes(';');
    this.money = text.split('$').length % 2 === 0 || /(?<![\\$\d])\$\s?\d[\d.,]*$/.test(text);
  }

  read(): Token[] {
    while (this.at < this.text.length) if (!this.skip() && !this.takeNumber()) this.takeWordOrSign();
    return this.tokens;
  }

  private found(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0];
  }

  private upright(): boolean {
    return this.groups.at(-1)?.upright ?? false;
  }

  private push(kind: TokenKind, length: number, more: Partial<Token> = {}) {
    const { at, spaced } = this;
    const written = { text: this.text.slice(at, at + length), start: at, end: at + length };
    this.tokens.push({ kind, ...written, spaced, upright: this.upright(), ...more });
    this.spaced = false;
    this.at += length;
  }

  /** Skips text that is not a token: spaces, and the delimiters of \text{} and similar groups. */
  private skip(): boolean {
    const gap = this.found(blank);
    if (gap) {
      this.spaced ||= /\s|~|\\[;: q]/.test(gap);
      this.at += gap.length;
      return true;
    }
    // "15 sq. ft.", "approx. 500"; the stroke of "500/-".
    const point = this.found(/\.(?=\s*[\p{L}\d])|\/-(?=[\s.,;]|$)/uy);
    const before = this.tokens.at(-1);
    if (point && (point === '.' ? abbreviated.test(before?.text ?? '') : before?.kind === 'number')) {
      this.at += point.length;
      this.spaced = true;
      return true;
    }
    if (this.at === this.groups.at(-1)?.end) {
      this.groups.pop();
      this.at++;
      return true;
    }
    const look = this.found(dress);
    if (look) this.takeFormatting(look);
    return look !== undefined;
  }

  private takeNumber(): boolean {
    const time = this.depth === 0 ? this.found(clock) : undefined;
    if (time) {
      this.push('number', time.length);
      return true;
    }
    const number = spelledAt(this.text, this.at, this.depth > 0 && this.lists ? 'list' : this.comma);
    if (!number) return false;
    const { value, decimals, digits, length } = number;
    this.push('number', length, { value, decimals, digits });
    this.at += this.found(ordinal)?.length ?? 0;
    return true;
  }

  private takeWordOrSign() {
    const name = this.found(command);
    if (name) return this.takeCommand(name);
    const sign = this.found(comparison);
    if (sign) return this.push('relation', sign.length, { text: relations.get(sign) ?? sign });
    const run = this.found(letters);
    if (run) this.takeLetters(run);
    else this.takeSign(this.text[this.at]);
  }

  private takeFormatting(look: string) {
    this.at += look.length;
    if (this.text[this.at] !== '{') return;
    this.ends ??= closings(this.text);
    this.groups.push({ end: this.ends.get(this.at) ?? this.text.length, upright: !/box|display|bold|bm/.test(look) });
    this.spaced ||= /box/.test(look) && this.tokens.length > 0;
    this.at++;
  }

  private takeCommand(name: string) {
    const bare = name.slice(1);
    if (name === '\\begin' || name === '\\end') return this.takeEnvironment(name);
    if (name === '\\\\') return this.push('row', 2);
    if (/^[{}]$/.test(bare)) {
      this.depth += bare === '{' ? 1 : -1;
      return this.push(bare === '{' ? 'open' : 'close', 2, { text: `\\${bare}` });
    }
    if (bare === '%') return this.push('operator', 2, { text: '%' });
    if (bare === '$') return this.push('currency', 2, { text: '$' });
    if (bare === '|') return this.push('bar', 2);
    if (/^q?quad./.test(bare)) {
      this.at += bare.startsWith('qq') ? 6 : 5; // \quadx
      this.spaced = true;
      return;
    }
    this.takeName(bare, name.length);
  }

  private takeName(bare: string, length: number) {
    const operator = operators.get(bare);
    if (operator) return this.push('operator', length, { text: operator });
    const relation = relations.get(bare);
    if (relation) return this.push('relation', length, { text: relation });
    if (/^(?:lvert|rvert|vert|lVert|rVert|mid)$/.test(bare)) return this.push('bar', length);
    if (/^(?:lfloor|lceil|langle|lbrace|lbrack)$/.test(bare)) return this.push('open', length, { text: opening(bare) });
    if (/^(?:rfloor|rceil|rangle|rbrace|rbrack)$/.test(bare))
      return this.push('close', length, { text: opening(bare) });
    if (functions.has(bare)) return this.push('function', length, { text: bare });
    const named = symbols.get(bare);
    if (named) return this.push('letter', length, { text: named });
    this.push('command', length, { text: bare });
  }

  private takeEnvironment(name: string) {
    const shape = /^\\(?:begin|end)\{([a-zA-Z]+)\*?\}(?:\{[lcr| ]*\})?/.exec(this.text.slice(this.at, this.at + 60));
    this.push('environment', shape?.[0].length ?? name.length, { text: `${name.slice(1)} ${shape?.[1] ?? ''}` });
  }

  private takeLetters(run: string) {
    const adjoins = !this.spaced && /^(?:number|letter|close|operator)$/.test(this.tokens.at(-1)?.kind ?? '');
    const next = this.text[this.at + run.length] ?? '';
    const lower = run.toLowerCase();
    if (/^x$/i.test(run) && this.followsFactor() && /^\s?[\d(\\]/.test(this.text.slice(this.at + 1, this.at + 3)))
      return this.push('operator', 1, { text: '*' });
    const counted = run.replace(measureWord, '') || run;
    const chinese = chineseNumber(counted);
    if (chinese !== null && this.tokens.at(-1)?.kind !== 'number')
      return this.push('number', counted.length, { value: chinese, decimals: 0 });
    const glued = /^(or|and)(?=\p{Lu}$)/u.exec(run)?.[1];
    if (glued) return this.push('word', glued.length);
    if (/[^\p{Script=Latin}'’]/u.test(run)) return this.takeForeign(run);
    const rupees = /^rs$/i.test(run) ? /^\.?(?=\s?-?\d)/.exec(this.text.slice(this.at + 2, this.at + 6)) : null;
    if (rupees) return this.push('currency', 2 + rupees[0].length, { text: '₹' });
    if (/^an?$/i.test(run) && this.isArticle(this.text.slice(this.at + run.length, this.at + run.length + 16)))
      return this.push('word', run.length, { text: lower });
    const unit = this.unitMeant(run);
    if (unit) return this.push('word', run.length, { text: unit });
    if (run.length === 1) return this.push('letter', 1);
    if (lower === 'min' && this.followsValue() && !/^[({_^]/.test(next)) return this.push('word', run.length);
    if (functions.has(lower) && !this.upright()) return this.push('function', run.length, { text: lower });
    if (functions.has(lower) && /^[({\\\d^_ ]/.test(next)) return this.push('function', run.length, { text: lower });
    const named = /^(?:pi|inf|infinity|infty|theta|alpha|beta)$/.test(lower) ? symbols.get(lower) : undefined;
    if (named) return this.push('letter', run.length, { text: named });
    if (this.upright() || isWord(run) || !(adjoins || /[\^_(\d]/.test(next) || looksLikeProduct(run)))
      return this.push('word', run.length);
    for (const letter of run) this.push('letter', letter.length);
  }

  /** Before a share, and before a unit at the start or as in "half a mile", "a" is not an unknown. */
  private isArticle(rest: string): boolean {
    const before = this.tokens.at(-1);
    const unit = /^\s(\p{L}{3,})/u.exec(rest)?.[1];
    const counts = !before || /^(?:half|of)$/i.test(before.text);
    return article.test(rest) || (counts && unit !== undefined && unitNamed(unit) !== undefined);
  }

  /** After hours or before seconds "m" is minutes; after feet, or at the end of a value, "in" is inches. */
  private unitMeant(run: string): string | undefined {
    if (run !== 'm' && run !== 'in') return undefined;
    const [larger, before] = [this.tokens.at(-2)?.text ?? '', this.tokens.at(-1)];
    const rest = this.text.slice(this.at + run.length, this.at + run.length + 24);
    const powered = /^(?:sq|square|cu|cubic)$/i.test(before?.text ?? '');
    if (before?.kind !== 'number' && !powered) return undefined;
    if (run === 'm')
      return /^h(?:rs?|ours?)?$/.test(larger) || /^\s?[\d.]+\s?s(?:ec|\b)/.test(rest) ? 'min' : undefined;
    return unitNamed(larger)?.factor === unitNamed('foot')!.factor || /^\s*(?:[.,;)}^²³$×/]|x\s|\\times|$)/.test(rest)
      ? 'inch'
      : undefined;
  }

  /** After a number or its unit, "x" is a multiplication sign. */
  private followsFactor(): boolean {
    const [number, before] = [this.tokens.at(-2), this.tokens.at(-1)];
    return before?.kind === 'number' || (number?.kind === 'number' && unitNamed(before!.text) !== undefined);
  }

  /** After a number or a slash, "min" is a unit. */
  private followsValue(): boolean {
    const before = this.tokens.at(-1);
    return before?.kind === 'number' || before?.text === '/';
  }

  /**
   * Scripts without spaces: a scale or unit at the start of a run is a token of its own, Greek letters are unknowns.
   */
  private takeForeign(run: string) {
    const named = symbols.get([...run][0]);
    if (named) return this.push('letter', [...run][0].length, { text: named });
    const known = Array.from(run, (_, i) => run.slice(0, run.length - i)).find(isKnown);
    this.push('word', known?.length ?? run.length);
  }

  private takeSign(sign: string) {
    const parts = vulgarFractions.get(sign);
    if (parts) return this.push('number', 1, { value: parts, decimals: 0 });
    const operator = operators.get(sign);
    if (operator) return this.push('operator', 1, { text: operator });
    if ('([{⌊⌈⟨'.includes(sign)) {
      if (sign === '(' || sign === '[') this.depth++;
      return this.push('open', 1);
    }
    if (')]}⌋⌉⟩'.includes(sign)) {
      if (sign === ')' || sign === ']') this.depth--;
      return this.push('close', 1);
    }
    if (',;、，；'.includes(sign)) return this.push('separator', 1, { text: ';；'.includes(sign) ? ';' : ',' });
    if (sign === '|') return this.push('bar', 1);
    if (sign === '&') return this.push('cell', 1);
    if (sign === '$') return this.takeDollar();
    if ('€£¥₹₽₩'.includes(sign)) return this.push('currency', 1);
    if (sign === '¢') return this.push('word', 1, { text: 'cents' });
    const named = symbols.get(sign);
    if (named) return this.push('letter', sign.length, { text: named });
    this.push('stop', 1);
  }

  /** A dollar sign before or after a number is money, unless it encloses a formula. */
  private takeDollar() {
    if (this.money && this.text[this.at + 1] !== '$' && this.text[this.at - 1] !== '$') return this.push('currency', 1);
    this.spaced = true;
    this.at++;
  }
}

const opening = (name: string) =>
  ({ lfloor: '⌊', rfloor: '⌋', lceil: '⌈', rceil: '⌉', langle: '(', rangle: ')', lbrace: '\\{', rbrace: '\\}' })[
    name
  ] ?? (name === 'lbrack' ? '[' : ']');

const isKnown = (word: string) => scaleWords.has(word) || unitNamed(word) !== undefined;

/** Chinese words between a number and what is counted. */
const measureWord = /(?:个|個|元|人|名|只|本|块|次|种|岁|辆|棵|张|页|件|天|小时|分钟|厘米|千米|米|千克|公斤|克)$/u;

/** Words whose abbreviation ends in a period within an answer. */
const abbreviated = new RegExp(`^(?:${amountAbbreviations.join('|')})$`, 'i');

/** Tokens after which "a" is not an unknown. */
const article = /^\s(?:half|third|quarter|fourth|fifth|tenth|dozen|hundred|thousand|million|billion|total|score)\b/i;

/** Maps each opening brace to its closing brace. */
function closings(text: string): Map<number, number> {
  const open: number[] = [];
  const ends = new Map<number, number>();
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '{') open.push(i);
    else if (text[i] === '}' && open.length > 0) ends.set(open.pop()!, i);
  }
  return ends;
}

/** The closing brace of the one at `open`; the end of the text if it is missing. */
export function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i;
  }
  return text.length;
}

const shortWords = new Set(
  'or and to is in of no am pm by per at a an on as if us be do go he it me my so up we pct percent sq cu ca'.split(
    ' ',
  ),
);
const isWord = (run: string) =>
  shortWords.has(run.toLowerCase()) ||
  (run.length > 1 && unitNamed(run) !== undefined) ||
  scaleWords.has(run) ||
  partWords.has(run) ||
  isNumberWord(run);

/** Whether a run of letters is a product of unknowns ("xy", "abc"), and not a word or name ("AB"). */
function looksLikeProduct(run: string): boolean {
  if (run.length === 2) return run === run.toLowerCase();
  return run.length <= 4 && (/^[^aeiouAEIOU]+$/.test(run) || 'abcdefghijklmnopqrstuvwxyz'.includes(run));
}
