import { equationSides } from './equation-sides';
import { numberKey, writtenNumbers } from './givens';
import { type ArithmeticToken, lex } from './lexer';
import { type KnownNumbers, mostMentions, sourcesOf } from './numbers';
import { connectives } from './reader';
import { isTrue } from './tolerance';

/** Maximum number of equations with unknowns, and of their numbers that further ones may use. */
const mostClauses = 60;

interface Clause {
  from: number;
  to: number;
  names: Set<string>;
}

/** The equations with unknowns of a text, and the values of the unknowns. */
export class Unknowns {
  private readonly clauses: Clause[] = [];
  private readonly values = new Map<string, string>();
  /** Numbers of the equations so far. */
  private readonly numbers = new Set<number>();

  /** `asked`: the question without white space. An equation copied from it is not a step, but one may begin with it. */
  constructor(
    private readonly text: string,
    private readonly tokens: readonly ArithmeticToken[],
    private readonly asked: string,
  ) {}

  /** Processes the tokens of a sentence. */
  solve(found: KnownNumbers, from: number, to: number): void {
    let start = from;
    for (let i = from; i <= to; i++) {
      const token = this.tokens[i];
      const ends =
        i === to || token.kind === 'break' || (token.kind === 'word' && connectives.has(token.text.toLowerCase()));
      if (!ends) continue;
      this.readClause(found, start, i);
      start = i + 1;
    }
  }

  private readClause(found: KnownNumbers, from: number, to: number): void {
    const clause = this.tokens.slice(from, to);
    const signs = clause.flatMap(({ kind }, i) => (kind === 'equals' ? [i] : []));
    const names = new Set(clause.filter(({ kind }) => kind === 'variable').map(({ text }) => text));
    if (signs.length === 0 || names.size === 0) return;
    const value = this.valueIn(clause, signs);
    if (value) {
      this.values.set(value.name, this.text.slice(value.start, value.end));
      const place = { start: clause[0].start, end: value.end };
      if (!found.derived.has(value.key) && this.clauses.some((one) => this.settles(one, value.name, value.key)))
        found.learn(value.key, [...this.numbers], place);
    }
    if (
      !clause.some(({ kind }) => kind === 'operator' || kind === 'fraction') &&
      !/\d\p{L}/u.test(this.textOf(from, to))
    )
      return;
    const numbers = writtenNumbers(clause).map(numberKey);
    const sources = (key: number) => (this.numbers.size <= mostMentions ? sourcesOf(key, [1, ...this.numbers]) : null);
    if (numbers.length === 0 || !numbers.every((key) => found.isKnown(key) || sources(key))) return;
    const place = { start: clause[0].start, end: clause[clause.length - 1].end };
    for (const key of numbers) {
      if (!found.isKnown(key)) found.learn(key, sources(key)!, place);
      this.numbers.add(key);
    }
    const isAsked = this.asked.includes(this.textOf(from, to).replace(/\s/g, ''));
    if (!isAsked && this.clauses.length < mostClauses) this.clauses.push({ from, to, names });
  }

  /** The value that a clause assigns to an unknown: "x = 5", "x = 15 / 3 = 5". */
  private valueIn(clause: readonly ArithmeticToken[], signs: readonly number[]) {
    const [first, last] = [signs[0], signs[signs.length - 1]];
    const [name, before, value, after] = [clause[first - 1], clause[first - 2], clause[last + 1], clause[last + 2]];
    const isNamed = name?.kind === 'variable' && !['number', 'operator', 'variable', 'close'].includes(before?.kind);
    if (!isNamed || value?.kind !== 'number' || (after && !['word', 'close', 'other'].includes(after.kind)))
      return null;
    return { name: name.text, key: numberKey(value.value!.valueOf()), start: value.start, end: value.end };
  }

  /** Whether an equation is true with this value of an unknown, and with no other. */
  private settles({ from, to, names }: Clause, name: string, value: number): boolean {
    if (!names.has(name) || ![...names].every((one) => this.values.has(one))) return false;
    return this.holds(from, to) && !this.holds(from, to, name, String(value * 3 + 7));
  }

  /** Whether a clause is true with the values inserted. */
  private holds(from: number, to: number, other?: string, value?: string): boolean {
    const written = this.tokens.slice(from, to).map(({ kind, text, start, end, spaced }) => {
      const put = text === other ? value : this.values.get(text);
      const source = kind === 'variable' ? `(${put})` : this.text.slice(start, end);
      return spaced ? ` ${source}` : source;
    });
    const sides = equationSides(lex(written.join('')));
    return (
      sides.length > 0 &&
      sides.every(
        ({ left, right }) => left !== null && right !== null && isTrue(left.expression, right.expression, false),
      )
    );
  }

  private textOf(from: number, to: number): string {
    return this.text.slice(this.tokens[from].start, this.tokens[to - 1].end);
  }
}
