/** Parses the smallest parts of a formula: numbers, unknowns, brackets, roots, fractions, functions, matrices. */
import Fraction from 'fraction.js';
import { Cursor, Refusal } from './cursor';
import type { Token } from './lexer';
import { apply, type Node, symbol, whole } from './node';
import { partWords } from './numbers';
import { unitNamed } from './units';

export abstract class Operands extends Cursor {
  protected abstract list(): Node;
  protected abstract relation(): Node;
  protected abstract sum(): Node;
  protected abstract signed(): Node;
  protected abstract product(): Node;
  protected abstract factor(): Node;
  protected abstract joins(token: Token): boolean;

  protected primary(): Node {
    const token = this.next();
    switch (token.kind) {
      case 'number':
        return this.number(token);
      case 'letter':
        return this.named(token.text);
      case 'word':
        return this.wordValue(token);
      case 'currency':
        this.currency = unitNamed(token.text) ?? null;
        return this.peek()?.text === '-' ? this.signed() : this.primary(); // $-3
      case 'open':
        return this.bracket(token);
      case 'bar':
        return this.absolute();
      case 'function':
        return this.call(token.text);
      case 'command':
        return this.decorated(token.text);
      case 'environment':
        return this.matrix(token.text);
      case 'operator':
        if (token.text === '√') return apply('^', this.argument(true), half);
        throw new Refusal();
      default:
        throw new Refusal();
    }
  }

  protected number(token: Token): Node {
    if (!token.value) return this.clock(token);
    const { value, decimals = 0, digits } = token;
    const node: Node = { kind: 'number', value, decimals, ...(digits && { digits }) };
    if (this.peek()?.text === '_') return this.based(token);
    if (value.d === 1n && value.n > 0n && value.n < 13n) {
      const half = this.noon();
      if (half !== null) return { kind: 'clock', minutes: (Number(value.n % 12n) + half) * 60, half: true };
    }
    if (value.d !== 1n || decimals !== 0) return node;
    const part = this.properFraction();
    return part ? { kind: 'number', value: value.add(part), decimals: 0 } : node;
  }

  /** The fractional part of a mixed number: 1/2 after a space, ½, \frac{1}{2}, "and a half"; less than one. */
  protected properFraction(): Fraction | null {
    const spoken = this.spokenFraction();
    if (spoken) return spoken;
    const [token, slash, under] = [this.peek(), this.peek(1), this.peek(2)];
    if (token?.kind === 'number' && token.value && token.value.d > 1n && token.decimals === 0) {
      this.at++;
      return token.value;
    }
    const plain = token?.kind === 'number' && slash?.text === '/' && under?.kind === 'number' && token.spaced;
    if (plain && !slash.spaced && !under.spaced && under.value && token.value?.lt(under.value)) {
      this.at += 3;
      return token.value.div(under.value);
    }
    if (token?.kind !== 'function' || !/frac$/.test(token.text)) return null;
    const { at } = this;
    this.at++;
    const [a, b] = [this.argument(false), this.argument(false)];
    if (a.kind === 'number' && b.kind === 'number' && b.value.n !== 0n && a.value.s >= 0n && a.value.lt(b.value))
      return a.value.div(b.value);
    this.at = at;
    return null;
  }

  /** "and a half", "and three quarters". */
  protected spokenFraction(): Fraction | null {
    const [and, count, part] = [this.peek(), this.peek(1), this.peek(2)];
    const share = part?.kind === 'word' ? partWords.get(part.text.toLowerCase()) : undefined;
    const times = count?.text === 'a' ? new Fraction(1) : count?.value;
    if (and?.text !== 'and' || !share || times?.d !== 1n || !times.mul(share).lt(1)) return null;
    this.at += 3;
    return times.mul(share);
  }

  protected clock(token: Token): Node {
    const [hours, minutes] = token.text.split(':').map(Number);
    if (token.text.split(':').length > 2 || hours > 24) throw new Refusal();
    const half = this.noon();
    if (half === null || hours > 12)
      return { kind: 'clock', minutes: hours * 60 + minutes, half: hours > 12 || hours === 0 };
    return { kind: 'clock', minutes: ((hours % 12) + half) * 60 + minutes, half: true };
  }

  /** The hours added by "am", "pm", "p.m." after a time; null if there is none. */
  protected noon(): 0 | 12 | null {
    const spelled = [0, 1, 2, 3].map((i) => this.peek(i)?.text ?? '');
    let length: 1 | 3;
    if (/^[ap]m$/i.test(spelled[0])) length = 1;
    else if (/^[ap]\.m$/i.test(spelled.slice(0, 3).join(''))) length = 3;
    else return null;
    this.at += length;
    if (length === 3 && spelled[3] === '.') this.at++;
    return spelled[0].toLowerCase().startsWith('p') ? 12 : 0;
  }

  protected based(token: Token): Node {
    this.at++;
    const base = this.argument(false);
    if (base.kind !== 'number') throw new Refusal();
    return { kind: 'based', digits: token.text, base: base.value.toFraction() };
  }

  /** A letter with its index, or a function of a bracketed argument: x, a_{n+1}, f(x). */
  protected named(name: string): Node {
    let full = name;
    while (this.peek()?.text === '_') {
      this.at++;
      full += `_${this.keyOfArgument()}`;
    }
    while (this.peek()?.text === '′' || this.peek()?.text === "'") {
      full += '′';
      this.at++;
    }
    const open = this.peek();
    if (/^[fghFGHPQVWT]/.test(name) && open?.text === '(' && !open.spaced) {
      this.at++;
      const inside = this.bracket(open);
      return apply(`call ${full}`, inside);
    }
    return symbol(full);
  }

  protected wordValue(token: Token): Node {
    const spoken = token.text.toLowerCase();
    const part = partWords.get(spoken) ?? (spoken === 'dozen' ? new Fraction(12) : undefined);
    if (part) {
      const dozen = this.peek()?.text === 'a' && this.peek(1)?.text === 'dozen' ? 12 : 1;
      if (dozen > 1) this.at += 2;
      return { kind: 'number', value: part.mul(dozen), decimals: 0 };
    }
    if (/^\p{Lu}+$/u.test(token.text) || /[=≈]/.test(this.peek()?.text ?? '') || this.depth > 1)
      return this.named(token.text);
    throw new Refusal();
  }

  protected isPart(token: Token | undefined): boolean {
    return token?.kind === 'word' && (partWords.has(token.text) || token.text === 'dozen');
  }

  protected bracket({ text: open }: Token): Node {
    this.enter();
    const closers: Record<string, string> = {
      '(': ')]',
      '[': ')]',
      '{': '}',
      '\\{': '\\}',
      '⌊': '⌋',
      '⌈': '⌉',
      '⟨': '⟩',
    };
    if (open === '\\{' && this.peek()?.text === '\\}') {
      this.at++;
      this.depth--;
      return symbol('∅');
    }
    const inside = this.list();
    const close = this.next();
    if (
      close.kind !== 'close' ||
      !(closers[open] === close.text || (open.length === 1 && closers[open].includes(close.text)))
    )
      throw new Refusal();
    this.depth--;
    if (open === '⌊' || open === '⌈') return apply(open === '⌊' ? 'floor' : 'ceil', inside);
    const items = inside.kind === 'list' ? inside.items : [inside];
    if (open === '{') return inside;
    if (open === '\\{') return { kind: 'group', open: '{', close: '}', items };
    const parens = open === '(' && close.text === ')';
    if (items.length === 1 && (parens || items[0].kind === 'matrix')) return items[0];
    return { kind: 'group', open: open === '⟨' ? '(' : open, close: close.text === '⟩' ? ')' : close.text, items };
  }

  protected absolute(): Node {
    this.enter();
    const inside = this.sum();
    if (this.next().kind !== 'bar') throw new Refusal();
    this.depth--;
    return apply('abs', inside);
  }

  protected call(name: string): Node {
    if (/frac$/.test(name)) return apply('/', this.argument(false), this.argument(false));
    if (/binom$/.test(name)) return apply('binom', this.argument(false), this.argument(false));
    if (name === 'sqrt') return this.root();
    let full = name;
    let power: Node | null = null;
    for (let token = this.peek(); token?.text === '_' || token?.text === '^'; token = this.peek()) {
      this.at++;
      if (token.text === '^') power = this.argument(true);
      else if (name === 'log') full = `log ${this.keyOfArgument()}`;
      else throw new Refusal();
    }
    const operand = this.operand();
    const value = apply(
      full,
      operand.kind === 'quantity' && operand.unit.dimension === 'deg' ? radians(operand.value) : operand,
    );
    return power ? this.functionPower(name, value, power) : value;
  }

  /** sin^{-1} is the inverse function, sin^2 the square. */
  protected functionPower(name: string, value: Node, power: Node): Node {
    const inverse = power.kind === 'apply' && power.of === '-' && power.args[0].kind === 'number';
    if (inverse && value.kind === 'apply' && /^(?:sin|cos|tan)$/.test(name)) return apply(`arc${name}`, ...value.args);
    return apply('^', value, power);
  }

  /** The argument of a function without brackets: "2x" in \sin 2x, up to the next function or operator. */
  protected operand(): Node {
    const open = this.peek();
    if (open?.kind === 'open') {
      this.at++;
      return this.bracket(open);
    }
    if (open?.text === '-') return this.signed();
    let left = this.factor();
    for (
      let token = this.peek();
      token && /^(?:letter|number)$/.test(token.kind) && this.joins(token);
      token = this.peek()
    )
      left = apply('*', left, this.factor());
    return left;
  }

  protected root(): Node {
    let degree: Node = whole(2);
    if (this.peek()?.text === '[') {
      this.at++;
      degree = this.sum();
      this.expect(']');
    }
    const radicand = this.argument(false);
    return degree.kind === 'number' && degree.value.equals(2)
      ? apply('^', radicand, half)
      : apply('root', radicand, degree);
  }

  /** An unknown command, with its indices and its group as its name: \vec{a}, \sum_{k=1}^n. */
  protected decorated(name: string): Node {
    if (/^(?:mathbb|mathcal|mathscr|mathfrak)$/.test(name)) {
      const letter = this.keyOfArgument();
      return symbol({ R: 'ℝ', Z: 'ℤ' }[letter] ?? `${name} ${letter}`);
    }
    let full = name;
    for (let token = this.peek(); token?.text === '_' || token?.text === '^'; token = this.peek()) {
      this.at++;
      full += ` ${token.text}${this.keyOfArgument()}`;
    }
    if (/^(?:sum|prod|int|iint|oint|lim)$/.test(name)) return apply(full, this.product());
    if (this.peek()?.text === '{') return symbol(`${full} ${this.keyOfArgument()}`);
    if (/^(?:angle|triangle|measuredangle|odot|vec|overline|hat|bar)$/.test(name) && this.peek())
      return symbol(`${full} ${this.keyOfArgument()}`);
    return symbol(full);
  }

  protected matrix(shape: string): Node {
    if (!/^begin (?:[pb]?matrix|array|smallmatrix|cases)$/.test(shape)) throw new Refusal();
    this.enter();
    const rows: Node[][] = [[]];
    for (;;) {
      const token = this.peek();
      if (!token) throw new Refusal();
      if (token.kind === 'environment') break;
      if (token.kind === 'row') rows.push([]);
      if (token.kind === 'row' || token.kind === 'cell') this.at++;
      else rows.at(-1)!.push(this.relation());
    }
    this.at++;
    this.depth--;
    return { kind: 'matrix', rows: rows.filter((row) => row.length > 0) };
  }

  /** An argument by TeX's rules: a group, or else one character (one digit of a number, unless `whole`). */
  protected argument(wholeNumber: boolean): Node {
    const token = this.next();
    if (token.kind === 'open' && (token.text === '{' || token.text === '(')) return this.bracket(token);
    if (token.kind === 'number' && token.value && !wholeNumber && /^\d\d+$/.test(token.text)) {
      const rest = token.text.slice(1);
      this.at--;
      this.tokens[this.at] = { ...token, text: rest, start: token.start + 1, value: new Fraction(rest), spaced: false };
      return whole(Number(token.text[0]));
    }
    if (token.kind === 'number' && token.value)
      return { kind: 'number', value: token.value, decimals: token.decimals! };
    if (token.kind === 'letter') return symbol(token.text);
    if (token.text === '-' && wholeNumber) return apply('-', this.argument(true));
    if (token.kind === 'function') return this.call(token.text);
    if (token.kind === 'command') return this.decorated(token.text);
    throw new Refusal();
  }

  /** The characters of an argument, for names: the index of a_{n+1}. */
  protected keyOfArgument(): string {
    const token = this.next();
    if (token.text !== '{') return token.text;
    const from = this.at;
    for (let depth = 1; depth > 0; ) {
      const { text } = this.next();
      if (text === '{') depth++;
      else if (text === '}') depth--;
    }
    return this.tokens
      .slice(from, this.at - 1)
      .map(({ text }) => text)
      .join('');
  }
}

const radians = (degrees: Node) => apply('/', apply('*', degrees, symbol('π')), whole(180));
const half: Node = { kind: 'number', value: new Fraction(1, 2), decimals: 0 };
