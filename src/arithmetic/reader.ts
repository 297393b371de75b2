import { type Expression, evaluate } from './expression';
import type { ArithmeticToken } from './lexer';

const quantities = new Set(['number', 'variable', 'other']);
const unknown: Expression = { kind: 'unknown' };

/** Maximum bracket nesting, and maximum operators of an expression. */
const maxDepth = 40;
const maxOperators = 100;
/** Maximum words of a unit, as in "16 ounces of cheese per pound". */
const maxUnitWords = 6;

/** Words that begin another clause, and so end a unit. */
export const connectives = new Set(
  'because so since and then is are was were if but or which that therefore thus has have had gives makes'.split(' '),
);
const numberWords = new Set('two three four five six seven eight nine ten'.split(' '));

const scales = new Map(
  Object.entries({
    hundred: 1e2,
    thousand: 1e3,
    million: 1e6,
    billion: 1e9,
    dozen: 12,
    dozens: 12,
  }),
);

/**
 * Parses expressions from a list of tokens, skipping units and remarks in brackets: "30 trays (small) x $4/tray + 2".
 * Each method takes start and limit, and returns its result and the next index.
 */
export class ExpressionReader {
  private readonly partners = new Map<number, number>();
  /** Prefix counts of numbers, variables and similar tokens. */
  private readonly numbersBefore: Int32Array;
  private depth = 0;
  private operators = 0;

  constructor(private readonly tokens: readonly ArithmeticToken[]) {
    const open: number[] = [];
    this.numbersBefore = new Int32Array(tokens.length + 1);
    tokens.forEach((token, i) => {
      this.numbersBefore[i + 1] = this.numbersBefore[i] + (quantities.has(token.kind) ? 1 : 0);
      if (token.kind === 'open') open.push(i);
      if (token.kind === 'close') {
        const from = open.pop()!;
        this.partners.set(from, i).set(i, from);
      }
    });
  }

  /** The longest expression that begins at `from`, or null if there is no operand. */
  read(from: number, to: number): { expression: Expression; end: number } | null {
    const cursor = { at: from, to };
    if (!this.startsOperand(cursor)) return null;
    this.operators = 0;
    const expression = this.sum(cursor);
    return { expression, end: cursor.at };
  }

  matchingBracket(bracket: number): number {
    return this.partners.get(bracket)!;
  }

  private sum(cursor: TokenRange): Expression {
    let left = this.product(cursor);
    for (let operator = this.operator(cursor, '+-'); operator; operator = this.operator(cursor, '+-')) {
      // " - " before a word is a dash: "6 x $2 = $12 - his whole budget".
      if (operator.text === '-' && operator.spaced && this.tokens[cursor.at + 1]?.kind === 'word') break;
      cursor.at++;
      left = this.join(operator.text, left, this.product(cursor));
    }
    return left;
  }

  private product(cursor: TokenRange): Expression {
    let left = this.power(cursor);
    for (;;) {
      const token = this.peek(cursor);
      const operator = this.operator(cursor, '*/');
      if (operator) {
        cursor.at++;
        if (operator.text === '/' && this.skipRate(cursor)) continue;
        const right = operator.text === '/' ? this.tight(cursor) : null;
        left = this.join(operator.text, left, right ?? this.power(cursor));
      } else if (token?.text === 'of' && isShare(left) && this.startsOperand({ ...cursor, at: cursor.at + 1 })) {
        cursor.at++;
        left = this.join('*', left, this.power(cursor));
      } else if (token?.kind === 'open' && !token.spaced && this.holdsNumber(cursor.at)) {
        left = this.join('*', left, this.power(cursor));
      } else return left;
    }
  }

  private join(operator: string, left: Expression, right: Expression): Expression {
    return ++this.operators > maxOperators ? unknown : { kind: 'binary', operator, left, right };
  }

  private power(cursor: TokenRange): Expression {
    const left = this.operand(cursor);
    if (!this.operator(cursor, '^')) return left;
    cursor.at++;
    return this.join('^', left, this.operand(cursor));
  }

  /** A fraction without spaces after a spaced slash is one number: "2 / 1/4". */
  private tight(cursor: TokenRange): Expression | null {
    const [numerator, slash, denominator] = [0, 1, 2].map((i) => this.peek(cursor, i));
    if (numerator?.kind !== 'number' || slash?.text !== '/' || denominator?.kind !== 'number') return null;
    if (!numerator.spaced || slash.spaced || denominator.spaced) return null;
    const left = this.operand({ at: cursor.at, to: cursor.at + 1 });
    cursor.at += 2;
    return { kind: 'binary', operator: '/', left, right: this.operand(cursor) };
  }

  private operand(cursor: TokenRange): Expression {
    const token = this.peek(cursor);
    if (token?.kind === 'number') return this.number(cursor, token);
    if (token?.kind === 'open' && this.holdsNumber(cursor.at)) return this.withUnit(cursor, this.group(cursor));
    if (token?.kind === 'fraction' && this.peek(cursor, 1)?.kind === 'open') {
      cursor.at++;
      const left = this.group(cursor);
      if (this.peek(cursor)?.kind !== 'open') return unknown;
      return this.withUnit(cursor, { kind: 'binary', operator: '/', left, right: this.group(cursor) });
    }
    if (token?.kind === 'operator' && token.text === '-' && this.startsQuantity({ ...cursor, at: cursor.at + 1 })) {
      cursor.at++;
      return { kind: 'negative', of: this.operand(cursor) };
    }
    // Words, variables and other text, up to the next operator.
    while (cursor.at < cursor.to && !['operator', 'equals', 'break', 'close'].includes(this.tokens[cursor.at].kind)) {
      cursor.at = this.partners.get(cursor.at) ?? cursor.at;
      cursor.at++;
    }
    return unknown;
  }

  private number(cursor: TokenRange, token: ArithmeticToken): Expression {
    cursor.at++;
    let value = token.value!;
    const [numerator, slash, denominator] = [0, 1, 2].map((i) => this.peek(cursor, i));
    const mixed =
      token.decimals === 0 && numerator?.kind === 'number' && slash?.text === '/' && denominator?.kind === 'number';
    if (mixed && numerator.spaced && !slash.spaced && numerator.value!.lt(denominator.value!)) {
      value = value.add(numerator.value!.div(denominator.value!)); // 1 1/2
      cursor.at += 3;
    } else if (numerator?.kind === 'fraction' && this.peek(cursor, 1)?.kind === 'open') {
      const part = evaluate(this.operand(cursor), { percent: 'share', scaled: false });
      if (token.decimals !== 0 || !part?.lt(1)) return unknown;
      value = value.add(part); // 2 \frac{3}{4}
    }
    const next = this.peek(cursor);
    const scale = next?.kind === 'word' ? scales.get(next.text) : undefined;
    const { decimals = 0, percent = false } = token;
    const begin = cursor.at;
    const read = this.withUnit(cursor, { kind: 'number', value, decimals, percent, scale, bare: true });
    if (read.kind === 'number') read.bare = cursor.at === begin;
    return read;
  }

  private group(cursor: TokenRange): Expression {
    const close = this.partners.get(cursor.at)!;
    const inner = { at: cursor.at + 1, to: close };
    this.depth++;
    let expression = this.depth > maxDepth || !this.startsOperand(inner) ? unknown : this.sum(inner);
    this.depth--;
    if (inner.at !== close) expression = unknown;
    cursor.at = close + 1;
    return expression;
  }

  /** Skips a unit or a remark in brackets after an operand, if an operator or an end follows. */
  private withUnit(cursor: TokenRange, expression: Expression): Expression {
    while (this.peek(cursor)?.kind === 'variable') {
      cursor.at++;
      expression = unknown; // 3R, 5 m: an unknown or a unit
    }
    let at = cursor.at;
    for (let words = 0; at < cursor.to && words <= maxUnitWords; words++) {
      const token = this.tokens[at];
      const share = expression.kind === 'number' && expression.percent && token.text === 'of';
      if (
        token.kind === 'word' &&
        !share &&
        !connectives.has(token.text.toLowerCase()) &&
        !numberWords.has(token.text.toLowerCase())
      )
        at++;
      else if (token.text === '(' && !token.spaced && words === 0 && !this.holdsNumber(at)) {
        cursor.at = this.partners.get(at)! + 1;
        return unknown; // 0.1(number of minutes)
      } else if (token.kind === 'open' && (token.spaced || !this.holdsNumber(at))) {
        if (this.holdsNumber(at) && (token.text === '{' || this.tokens[at + 1].kind !== 'word')) break;
        at = this.partners.get(at)! + 1;
      } else break;
    }
    const next = this.tokens[at];
    const ends = at >= cursor.to || ['operator', 'equals', 'break', 'close'].includes(next.kind);
    if (ends && (at === cursor.at || next?.text !== '^')) cursor.at = at;
    return expression;
  }

  /** Skips the text after the slash in "$4/tray", "4 miles / \text{hour}"; false if a quantity follows it. */
  private skipRate(cursor: TokenRange): boolean {
    const token = this.peek(cursor);
    if (token?.kind !== 'word' && !(token?.kind === 'open' && !this.holdsNumber(cursor.at))) return false;
    this.withUnit(cursor, unknown);
    return true;
  }

  private startsOperand(cursor: TokenRange): boolean {
    const token = this.peek(cursor);
    if (!token) return false;
    if (token.kind === 'operator' && token.text === '-') {
      // A minus with a space after it at the start of a clause is a bullet.
      const next = this.peek(cursor, 1);
      return !!next && !next.spaced && this.startsQuantity({ ...cursor, at: cursor.at + 1 });
    }
    return this.startsQuantity(cursor);
  }

  private startsQuantity(cursor: TokenRange): boolean {
    const token = this.peek(cursor);
    if (!token) return false;
    return (
      token.kind === 'number' || token.kind === 'fraction' || (token.kind === 'open' && this.holdsNumber(cursor.at))
    );
  }

  /** Whether the bracket at `open` contains a number, a variable or similar. */
  holdsNumber(open: number): boolean {
    return this.numbersBefore[this.partners.get(open)!] > this.numbersBefore[open];
  }

  private operator(cursor: TokenRange, among: string): ArithmeticToken | undefined {
    const token = this.peek(cursor);
    return token?.kind === 'operator' && among.includes(token.text) ? token : undefined;
  }

  private peek(cursor: TokenRange, ahead = 0): ArithmeticToken | undefined {
    return cursor.at + ahead < cursor.to ? this.tokens[cursor.at + ahead] : undefined;
  }
}

interface TokenRange {
  at: number;
  to: number;
}

/** A quantity that can precede "of": 15 %, 2/3. */
function isShare(expression: Expression): boolean {
  if (expression.kind === 'number') return expression.percent;
  return (
    expression.kind === 'binary' &&
    expression.operator === '/' &&
    expression.left.kind === 'number' &&
    expression.right.kind === 'number'
  );
}
