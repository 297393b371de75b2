/** Parses formulas: sums, products and powers of operands, unions and intersections of sets. */
import { Refusal } from './cursor';
import type { Token } from './lexer';
import { apply, type Node, whole } from './node';
import { partWords, scaleWords } from './numbers';
import { Operands } from './operands';
import { isUnitLetter, unitNamed } from './units';

const degreeScales = new Map(Object.entries({ C: 'celsius', F: 'fahrenheit' }));

export abstract class Formulas extends Operands {
  protected sets(): Node {
    let left = this.sum();
    for (let token = this.peek(); token && /^[∪∩∖]$/.test(token.text); token = this.peek()) {
      this.at++;
      left = apply(token.text, left, this.sum());
    }
    return left;
  }

  protected sum(): Node {
    this.enter();
    let left = this.signed();
    for (let token = this.peek(); token?.kind === 'operator' && /^[-+±∓]$/.test(token.text); token = this.peek()) {
      if (token.text === '-' && token.spaced && this.peek(1)?.kind === 'word') break; // a dash
      this.at++;
      const right = this.product();
      if (token.text === '+' || token.text === '-')
        left = apply('+', left, token.text === '-' ? apply('-', right) : right);
      else left = apply(token.text, left, right);
    }
    this.depth--;
    return left;
  }

  protected signed(): Node {
    const token = this.peek();
    if (token?.kind !== 'operator' || !/^[-+±∓]$/.test(token.text)) return this.product();
    this.at++;
    const value = this.enter() ?? this.signed();
    this.depth--;
    if (token.text === '+') return value;
    if (token.text !== '-') return apply(token.text, value);
    return value.kind === 'apply' && value.of === '%' ? apply('%', apply('-', ...value.args)) : apply('-', value);
  }

  protected product(): Node {
    let left = this.factor();
    for (let token = this.peek(); token; token = this.peek()) {
      if (token.kind === 'operator' && /^[*/]$/.test(token.text)) {
        if (token.text === '/' && this.isUnit(this.peek(1))) return left;
        this.at++;
        const right = this.peek()?.text === '-' ? this.signed() : this.factor();
        left = apply(token.text, left, right);
      } else if (
        token.kind === 'word' &&
        token.text === 'of' &&
        isShare(left) &&
        /^(?:number|currency|function)$/.test(this.peek(1)?.kind ?? '')
      ) {
        this.at++;
        left = apply('*', left, this.factor());
      } else if (this.joins(token)) left = apply('*', left, this.factor());
      else return left;
    }
    return left;
  }

  /** Whether the next token begins a factor of an implicit product. */
  protected joins(token: Token): boolean {
    const last = this.tokens[this.at - 1];
    if (/^r$/i.test(token.text) && this.peek(1)?.kind === 'number' && token.spaced) return false; // 7 R 2
    if (token.kind === 'letter') return !(this.isUnit(token) && last.kind === 'number' && this.unitEnds(this.at + 1));
    if (token.kind === 'open') return token.text !== '\\{' && !(token.spaced && (token.text === '[' || this.isAside()));
    if (token.kind === 'number') return last.kind === 'close' && !token.spaced;
    return /^(?:function|command)$/.test(token.kind) || token.text.startsWith('begin ');
  }

  /** A bracket without unknowns after a number and a space: "42 (6 * 7)". */
  protected isAside(): boolean {
    if (this.tokens[this.at - 1].kind !== 'number') return false;
    const close = this.tokens.findIndex(({ kind }, i) => i > this.at && kind === 'close');
    return !this.tokens
      .slice(this.at, close < 0 ? undefined : close)
      .some(({ kind }) => /^(?:letter|command)$/.test(kind));
  }

  /** Whether a letter that may be a unit is followed by something that only follows an unknown. */
  protected unitEnds(at: number): boolean {
    const next = this.tokens[at];
    if (!next || /^(?:word|separator|stop|close|relation)$/.test(next.kind) || /^[\^/²³]$/.test(next.text)) return true;
    // 10 m × 5 m
    const [factor, unit] = this.tokens.slice(at + 1, at + 3);
    if (next.text === '*' && factor?.kind === 'number' && unit?.text === this.tokens[at - 1].text) return true;
    return this.continues(at - 1);
  }

  /** Whether a number with a smaller unit of the same kind follows the unit at `at`: 2 m 30 cm, 1h15min. */
  protected continues(at: number): boolean {
    const [token, number, smaller] = this.tokens.slice(at, at + 3);
    const [unit, part] = [token, smaller].map((named) => named && unitNamed(named.text));
    return number?.kind === 'number' && part?.dimension === unit?.dimension && part!.factor < unit!.factor;
  }

  protected isUnit(token: Token | undefined): boolean {
    if (!token || unitNamed(token.text) === undefined) return false;
    if (token.kind === 'word') return true;
    const at = this.tokens.indexOf(token);
    const last = this.tokens[at - 1];
    return (
      token.kind === 'letter' &&
      isUnitLetter(token.text) &&
      (this.tightUnits || token.upright || token.spaced || last?.text === '/' || this.continues(at))
    );
  }

  protected factor(): Node {
    let node = this.postfix(this.primary());
    if (this.peek()?.text === '^') {
      this.at++;
      node = this.postfix(this.raise(node));
    }
    return node;
  }

  protected raise(base: Node): Node {
    if (this.peek()?.text === '°') {
      this.at++;
      return this.degrees(base);
    }
    if (this.peek()?.text === '{' && this.peek(1)?.text === '°' && this.peek(2)?.text === '}') {
      this.at += 3;
      return this.degrees(base);
    }
    const exponent = this.argument(true);
    return apply('^', base, exponent);
  }

  protected degrees(value: Node): Node {
    const scale = degreeScales.get(this.peek()?.text ?? '');
    if (scale) this.at++;
    return { kind: 'quantity', value, unit: unitNamed(scale ?? 'degree')! };
  }

  /** Suffixes of a factor: !, %, million, squared. */
  protected postfix(node: Node): Node {
    for (let token = this.peek(); token; token = this.peek()) {
      const { text } = token;
      const spoken = token.kind === 'word' ? text.toLowerCase() : '';
      const scale = token.kind === 'word' ? (scaleWords.get(text) ?? scaleWords.get(spoken)) : undefined;
      const part = token.kind === 'word' ? partWords.get(spoken) : undefined;
      if (text === '!' && token.kind === 'operator') {
        const double = this.peek(1)?.text === '!' && !this.peek(1)!.spaced;
        if (double) this.at++;
        node = apply(double ? '!!' : '!', node);
      } else if (text === '²' || text === '³') node = apply('^', node, whole(text === '²' ? 2 : 3));
      else if (text === '%' || /^(?:percent|pct|percentage|prozent)$/.test(spoken)) node = apply('%', node);
      else if (text === '°') {
        this.at++;
        return this.degrees(node);
      } else if (scale && isNumeric(node)) node = apply('*', node, { kind: 'number', value: scale, decimals: 0 });
      else if (part && isNumeric(node) && !isCoin(node, spoken))
        node = apply('*', node, { kind: 'number', value: part, decimals: 0 });
      else if (/^(?:squared|cubed)$/.test(spoken) && isNumeric(node))
        node = apply('^', node, whole(spoken === 'squared' ? 2 : 3));
      else if (this.currency && /^[kKmMbB]$/.test(text) && !token.spaced && isNumeric(node))
        node = apply('*', node, whole({ k: 1e3, m: 1e6, b: 1e9 }[text.toLowerCase()]!));
      else if (text === "'" || text === '′') throw new Refusal();
      else return node;
      this.at++;
    }
    return node;
  }
}

const isShare = (node: Node) => node.kind === 'number' || (node.kind === 'apply' && /^[%/*]$/.test(node.of));

/** "3 quarters" may be coins, but "three quarters" is a fraction. */
const isCoin = (node: Node, spoken: string) =>
  /^quarters?$/.test(spoken) && node.kind === 'number' && node.digits !== undefined;

/** Whether a value contains only numbers, so that a scale word applies to it. */
function isNumeric(node: Node): boolean {
  return node.kind === 'number' || (node.kind === 'apply' && node.args.every(isNumeric));
}
