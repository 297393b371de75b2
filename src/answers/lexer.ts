/** The signs and words of an answer, in LaTeX or as plain text. */
import type Fraction from 'fraction.js';
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

export type TokenKind =
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

/** `text` is the sign in one spelling: "≤" for \leq, "*" for \times, the bare name for commands and words. */
export interface Token {
  kind: TokenKind;
  text: string;
  start: number;
  end: number;
  value?: Fraction;
  decimals?: number;
  digits?: string;
  /** Whether white space stands before it. */
  spaced: boolean;
  /** Whether it stands in \text{} or the like. */
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

/** Reads a text once, from left to right. `comma`: what a comma between digits means. */
export function lex(source: string, comma: CommaReading): Token[] {
  const text = plainDigits(source);
  const tokens: Token[] = [];
  const groups: { end: number; upright: boolean }[] = [];
  const lists = !text.includes(';');
  const money = text.split('$').length % 2 === 0 || /(?<![\\$\d])\$\s?\d[\d.,]*$/.test(text);
  let [at, spaced, depth] = [0, true, 0];
  let ends: Map<number, number> | undefined;
  const found = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const upright = () => groups.at(-1)?.upright ?? false;
  const push = (kind: TokenKind, length: number, more: Partial<Token> = {}) => {
    const written = { text: text.slice(at, at + length), start: at, end: at + length };
    tokens.push({ kind, ...written, spaced, upright: upright(), ...more });
    spaced = false;
    at += length;
  };

  while (at < text.length) {
    const gap = found(blank);
    if (gap) {
      spaced ||= /\s|~|\\[;: q]/.test(gap);
      at += gap.length;
      continue;
    }
    if (groups.length > 0 && at === groups.at(-1)!.end) {
      groups.pop();
      at++;
      continue;
    }
    const look = found(dress);
    if (look) {
      takeDress(look);
      continue;
    }
    const time = depth === 0 ? found(clock) : undefined;
    if (time) {
      push('number', time.length);
      continue;
    }
    const number = spelledAt(text, at, depth > 0 && lists ? 'list' : comma);
    if (number) {
      const { value, decimals, digits, length } = number;
      push('number', length, { value, decimals, digits });
      at += found(ordinal)?.length ?? 0;
      continue;
    }
    const name = found(command);
    if (name) {
      takeCommand(name);
      continue;
    }
    const sign = found(comparison);
    if (sign) {
      push('relation', sign.length, { text: relations.get(sign) ?? sign });
      continue;
    }
    const run = found(letters);
    if (run) takeLetters(run);
    else takeSign(text[at]);
  }
  return tokens;

  function takeDress(look: string) {
    at += look.length;
    if (text[at] !== '{') return;
    ends ??= closings(text);
    groups.push({ end: ends.get(at) ?? text.length, upright: !/box|display|bold|bm/.test(look) });
    spaced ||= /box/.test(look) && tokens.length > 0;
    at++;
  }

  function takeCommand(name: string) {
    const bare = name.slice(1);
    if (name === '\\begin' || name === '\\end') return takeEnvironment(name);
    if (name === '\\\\') return push('row', 2);
    if (/^[{}]$/.test(bare)) {
      depth += bare === '{' ? 1 : -1;
      return push(bare === '{' ? 'open' : 'close', 2, { text: `\\${bare}` });
    }
    if (bare === '%') return push('operator', 2, { text: '%' });
    if (bare === '$') return push('currency', 2, { text: '$' });
    if (bare === '|') return push('bar', 2);
    if (/^q?quad./.test(bare)) {
      at += bare.startsWith('qq') ? 6 : 5; // \quadx
      spaced = true;
      return;
    }
    takeName(bare, name.length);
  }

  function takeName(bare: string, length: number) {
    const operator = operators.get(bare);
    if (operator) return push('operator', length, { text: operator });
    const relation = relations.get(bare);
    if (relation) return push('relation', length, { text: relation });
    if (/^(?:lvert|rvert|vert|lVert|rVert|mid)$/.test(bare)) return push('bar', length);
    if (/^(?:lfloor|lceil|langle|lbrace|lbrack)$/.test(bare)) return push('open', length, { text: opening(bare) });
    if (/^(?:rfloor|rceil|rangle|rbrace|rbrack)$/.test(bare)) return push('close', length, { text: opening(bare) });
    if (functions.has(bare)) return push('function', length, { text: bare });
    const named = symbols.get(bare);
    if (named) return push('letter', length, { text: named });
    push('command', length, { text: bare });
  }

  function takeEnvironment(name: string) {
    const shape = /^\\(?:begin|end)\{([a-zA-Z]+)\*?\}(?:\{[lcr| ]*\})?/.exec(text.slice(at, at + 60));
    push('environment', shape?.[0].length ?? name.length, { text: `${name.slice(1)} ${shape?.[1] ?? ''}` });
  }

  function takeLetters(run: string) {
    const adjoins = !spaced && /^(?:number|letter|close|operator)$/.test(tokens.at(-1)?.kind ?? '');
    const next = text[at + run.length] ?? '';
    const lower = run.toLowerCase();
    if (/^x$/i.test(run) && tokens.at(-1)?.kind === 'number' && /^\s?[\d(\\]/.test(text.slice(at + 1, at + 3)))
      return push('operator', 1, { text: '*' });
    const chinese = chineseNumber(run);
    if (chinese !== null && tokens.at(-1)?.kind !== 'number') {
      const spelled = spelledAt(String(chinese), 0, 'group')!;
      return push('number', run.length, { value: spelled.value, decimals: 0 });
    }
    const glued = /^(or|and)(?=\p{Lu}$)/u.exec(run)?.[1];
    if (glued) return push('word', glued.length);
    if (/[^\p{Script=Latin}'’]/u.test(run)) return takeForeign(run);
    if (/^an?$/i.test(run) && article.test(text.slice(at + run.length, at + run.length + 16)))
      return push('word', run.length);
    if (run.length === 1) return push('letter', 1);
    if (functions.has(lower) && !upright()) return push('function', run.length, { text: lower });
    if (functions.has(lower) && /^[({\\\d^_ ]/.test(next)) return push('function', run.length, { text: lower });
    const named = /^(?:pi|inf|infinity|infty|theta|alpha|beta)$/.test(lower) ? symbols.get(lower) : undefined;
    if (named) return push('letter', run.length, { text: named });
    if (upright() || isWord(run) || !(adjoins || /[\^_(\d]/.test(next) || looksLikeProduct(run)))
      return push('word', run.length);
    for (const letter of run) push('letter', letter.length);
  }

  /** Scripts without spaces: a scale or unit that begins the run stands for itself, Greek letters are unknowns. */
  function takeForeign(run: string) {
    const named = symbols.get([...run][0]);
    if (named) return push('letter', [...run][0].length, { text: named });
    const known = Array.from(run, (_, i) => run.slice(0, run.length - i)).find(isKnown);
    push('word', known?.length ?? run.length);
  }

  function takeSign(sign: string) {
    const parts = vulgarFractions.get(sign);
    if (parts) return push('number', 1, { value: parts, decimals: 0 });
    const operator = operators.get(sign);
    if (operator) return push('operator', 1, { text: operator });
    if ('([{⌊⌈⟨'.includes(sign)) {
      if (sign === '(' || sign === '[') depth++;
      return push('open', 1);
    }
    if (')]}⌋⌉⟩'.includes(sign)) {
      if (sign === ')' || sign === ']') depth--;
      return push('close', 1);
    }
    if (',;、，；'.includes(sign)) return push('separator', 1, { text: ';；'.includes(sign) ? ';' : ',' });
    if (sign === '|') return push('bar', 1);
    if (sign === '&') return push('cell', 1);
    if (sign === '$') return takeDollar();
    if ('€£¥₹₽₩'.includes(sign)) return push('currency', 1);
    if (sign === '¢') return push('word', 1, { text: 'cents' });
    const named = symbols.get(sign);
    if (named) return push('letter', sign.length, { text: named });
    push('stop', 1);
  }

  /** A dollar is money before or behind a number where it does not enclose a formula. */
  function takeDollar() {
    if (money && text[at + 1] !== '$' && text[at - 1] !== '$') return push('currency', 1);
    spaced = true;
    at++;
  }
}

const opening = (name: string) =>
  ({ lfloor: '⌊', rfloor: '⌋', lceil: '⌈', rceil: '⌉', langle: '(', rangle: ')', lbrace: '\\{', rbrace: '\\}' })[
    name
  ] ?? (name === 'lbrack' ? '[' : ']');

const isKnown = (word: string) => scaleWords.has(word) || unitNamed(word) !== undefined;

/** What follows "a" where it is no unknown. */
const article = /^\s(?:half|third|quarter|fifth|tenth|dozen|hundred|thousand|million|billion|total|score)\b/i;

/** Where each brace is closed that is, by where it is opened. */
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

/** Where the brace at `open` is closed; the end of the text when it never is. */
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
  'or and to is in of no am pm by per at a an on as if us be do go he it me my so up we pct percent'.split(' '),
);
const isWord = (run: string) =>
  shortWords.has(run.toLowerCase()) ||
  (run.length > 1 && unitNamed(run) !== undefined) ||
  scaleWords.has(run) ||
  partWords.has(run) ||
  isNumberWord(run);

/** Whether a run of letters is a product of unknowns ("xy", "abc"), and no word or name ("AB"). */
function looksLikeProduct(run: string): boolean {
  if (run.length === 2) return run === run.toLowerCase();
  return run.length <= 4 && (/^[^aeiouAEIOU]+$/.test(run) || 'abcdefghijklmnopqrstuvwxyz'.includes(run));
}
