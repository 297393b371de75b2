/** Values with units: 5 cm^2, 2 hours 30 minutes, 3 : 2, 7 remainder 2. */
import Fraction from 'fraction.js';
import { Refusal } from './cursor';
import { Formulas } from './formulas';
import type { Token } from './lexer';
import { apply, type Node } from './node';
import { scaleWords } from './numbers';
import { multiplyUnits, type Unit, unitNamed } from './units';

/** Words before a value that do not change it. */
export const fillers = new Set(
  (
    'about approximately approx around roughly nearly exactly ' +
    'precisely only just total altogether the a an is was are'
  ).split(' '),
);
const powerWords = new Map(Object.entries({ square: 2, sq: 2, squared: 2, cubic: 3, cu: 3, cubed: 3 }));

export abstract class Quantities extends Formulas {
  /** A value with its qualifiers: a unit, a second number of the same kind, a ratio, a remainder. */
  protected side(): Node {
    if (this.peek()?.text === '≈' || (this.peek()?.kind === 'relation' && this.peek()?.text === '=')) this.at++;
    const before = this.currency;
    this.currency = null;
    const value = this.sets();
    const currency = this.currency ?? this.takeCurrency();
    this.currency = before;
    const node = this.withUnit(value, currency);
    return this.compound(this.pair(node));
  }

  protected takeCurrency(): Unit | null {
    const token = this.peek();
    if (token?.kind !== 'currency') return null;
    this.at++;
    return unitNamed(token.text) ?? null;
  }

  protected withUnit(value: Node, currency: Unit | null): Node {
    this.meant = this.at;
    const unit = this.unit();
    if (currency) return { kind: 'quantity', value, unit: currency };
    return unit ? { kind: 'quantity', value, unit } : value;
  }

  /** The unit after a value; null for other words, which are skipped. */
  protected unit(): Unit | null {
    const parts: { unit: Unit; power: number }[] = [];
    let sign = 1;
    let prefix = 1;
    let known = true;
    for (let token = this.peek(); token; token = this.peek()) {
      const power = powerWords.get(token.text.toLowerCase());
      if (token.kind === 'word' && power) {
        prefix = power;
        this.at++;
        continue;
      }
      if (token.text === 'per' || (token.text === '/' && this.isUnit(this.peek(1)))) {
        sign = -1;
        this.at++;
        continue;
      }
      if (token.text === '*' && this.isUnit(this.peek(1)) && parts.length > 0) {
        this.at++;
        continue;
      }
      if (known && /^(?:of|an?)$/.test(token.text) && token.kind === 'word' && this.isUnitNext()) {
        this.at++; // half an hour
        continue;
      }
      if (!this.isUnit(token)) {
        if (token.kind !== 'word' || !isUnitWord(token) || isPastNoon(token, this.peek(1))) break;
        known = false;
        this.at++;
        if (/^units?$/i.test(token.text)) this.unitExponent();
        continue;
      }
      const unit = unitNamed(token.text)!;
      this.at++;
      const exponent = this.unitExponent();
      if (known) {
        parts.push({ unit, power: sign * prefix * exponent });
        this.meant = this.at;
      }
      prefix = 1;
    }
    // Degrees Celsius are no degrees of an angle.
    const warmth = parts.find(({ unit }) => /^(?:celsius|fahrenheit)$/.test(unit.dimension));
    const told = warmth ? parts.filter(({ unit }) => unit.dimension !== 'deg') : parts;
    return parts.length > 0 ? multiplyUnits(told) : null;
  }

  /** Whether the next token, or the one after an article, is a unit. */
  protected isUnitNext(): boolean {
    return this.isUnit(this.peek(1)) || (/^an?$/.test(this.peek(1)?.text ?? '') && this.isUnit(this.peek(2)));
  }

  protected unitExponent(): number {
    const token = this.peek();
    if (token?.text === '²' || token?.text === '³') {
      this.at++;
      return token.text === '²' ? 2 : 3;
    }
    if (token?.kind === 'number' && !token.spaced && /^[23]$/.test(token.text)) {
      this.at++;
      return Number(token.text); // cm2
    }
    if (token?.text !== '^') return 1;
    this.at++;
    const open = this.peek()?.text === '{';
    if (open) this.at++;
    const sign = this.peek()?.text === '-' ? -1 : 1;
    if (sign < 0) this.at++;
    const exponent = Number(this.next().text);
    if (open) this.expect('}');
    if (!Number.isInteger(exponent)) throw new Refusal();
    return sign * exponent;
  }

  /** 3:2, 3 to 2, 7 remainder 2. */
  protected pair(node: Node): Node {
    const rest = this.remainder();
    if (rest) return { kind: 'remainder', quotient: node, rest };
    const token = this.peek();
    if (token?.text === ':' && this.startsValue(1)) {
      const parts = [node];
      while (this.peek()?.text === ':') {
        this.at++;
        parts.push(this.sets());
      }
      this.meant = this.at;
      return { kind: 'ratio', parts };
    }
    const sizes = this.sizes(node);
    if (sizes) return sizes;
    if (token?.kind === 'word' && token.text === 'to' && this.startsValue(1)) {
      this.at++;
      const second = this.side();
      return { kind: 'range', from: node, to: second };
    }
    return node;
  }

  /** 10 cm by 5 cm, 10 cm × 5 cm, 3 by 2; null for anything else. */
  protected sizes(first: Node): Node | null {
    const { at } = this;
    const items = [first];
    for (
      let token = this.peek();
      (token?.text === 'by' || (token?.text === '*' && first.kind === 'quantity')) && this.startsValue(1);
      token = this.peek()
    ) {
      this.at++;
      items.push(this.withUnit(this.sets(), null));
      if (token.text !== '*' || items.at(-1)!.kind === 'quantity') continue;
      this.at = at; // 5 cm × 2
      return null;
    }
    if (items.length === 1) return null;
    this.meant = this.at;
    return { kind: 'group', open: 'by', close: 'by', items };
  }

  /** 7 R 2; 7 remainder 2; 7, with a remainder of 2. */
  protected remainder(): Node | null {
    const { at } = this;
    while (/^(?:,|with|and|a|of|remainder|r)$/i.test(this.peek()?.text ?? '')) this.at++;
    const named = this.tokens.slice(at, this.at).some(({ text }) => /^(?:remainder|r)$/i.test(text));
    if (named && this.peek()?.kind === 'number') return this.side();
    this.at = at;
    return null;
  }

  /** 2 hours 30 minutes, 5 feet and 6 inches: one quantity, in its smallest unit; money in its largest. */
  protected compound(node: Node): Node {
    if (node.kind !== 'quantity') return node;
    const part = this.spokenFraction(); // "two hours and a half"
    if (part) {
      this.meant = this.at;
      return { ...node, value: apply('+', node.value, { kind: 'number', value: part, decimals: 0 }) };
    }
    const { at, meant } = this;
    while (this.peek()?.text === 'and' || this.peek()?.text === ',') this.at++;
    if (this.peek()?.kind === 'number') {
      const second = this.guarded(() => this.side());
      const { unit } = node;
      const smaller = second?.kind === 'quantity' && second.unit.factor < unit.factor ? second : null;
      if (smaller && smaller.unit.dimension === unit.dimension) {
        const ratio = new Fraction(unit.factor).div(new Fraction(smaller.unit.factor)).round(9);
        const scale: Node = { kind: 'number', value: ratio, decimals: 0 };
        // Two dollars and fifty cents are 2.50.
        if (unit.dimension === 'usd')
          return { kind: 'quantity', value: apply('+', node.value, apply('/', smaller.value, scale)), unit };
        const value = apply('+', apply('*', node.value, scale), smaller.value);
        return { kind: 'quantity', value, unit: smaller.unit };
      }
    }
    this.meant = meant;
    this.at = at;
    return node;
  }

  protected startsValue(ahead: number): boolean {
    const token = this.peek(ahead);
    if (!token) return false;
    if (/^(?:number|letter|function|currency|bar|environment|command)$/.test(token.kind)) return true;
    if (token.kind === 'open' || token.kind === 'relation') return true;
    if (token.kind === 'word')
      return this.isPart(token) || /^(?:negative|minus|a|an)$/.test(token.text) || fillers.has(token.text);
    return token.kind === 'operator' && /^[-+±√]$/.test(token.text);
  }
}

const changing =
  /^(?:and|or|to|by|remainder|plus|minus|times|but|than|not|wrong|incorrect|factorial|doubled|halved|tripled)$/i;

/** "10 minutes past noon" is a time. */
const isPastNoon = ({ text }: Token, next: Token | undefined) =>
  /^past$/i.test(text) && /^(?:noon|midnight)$/i.test(next?.text ?? '');

/** A word beside a unit without a meaning of its own: "apples", "in all", "long". */
const isUnitWord = ({ text }: Token) => !changing.test(text) && !scaleWords.has(text.toLowerCase());
