import type { Expression } from './expression';
import type { ArithmeticToken } from './lexer';
import { connectives, ExpressionReader } from './reader';

/** The two sides of an equality sign; a side is null if it is not an expression. */
export interface EquationSides {
  tokens: readonly ArithmeticToken[];
  reader: ExpressionReader;
  sign: ArithmeticToken;
  /** Index of the sign among the tokens. */
  at: number;
  left: EquationSide | null;
  right: EquationSide | null;
}

/** At most this many equalities of a text are read: no chain of thought has more, and each takes time. */
export const mostEqualities = 5000;

/** The sides of every equality among the tokens; in a chain a = b = c the middle ones are shared. */
export function equationSides(tokens: readonly ArithmeticToken[]): EquationSides[] {
  const reader = new ExpressionReader(tokens);
  const signs = tokens.flatMap((token, i) => (token.kind === 'equals' ? [i] : []));
  let left = leftSide(tokens, reader, { from: 0, to: signs[0] ?? 0, gap: 0 });
  return signs.slice(0, mostEqualities).map((sign, i) => {
    const end = signs[i + 1] ?? tokens.length;
    const right = rightSide(tokens, reader, sign + 1, end);
    const sides = { tokens, reader, sign: tokens[sign], at: sign, left, right };
    // The text between two signs is a side of both if it is one expression.
    left =
      right?.end === end ? right : leftSide(tokens, reader, { from: right?.end ?? sign + 1, to: end, gap: sign + 1 });
    return sides;
  });
}

/** One side of an equation: an expression and its token range, `end` exclusive. */
export interface EquationSide {
  expression: Expression;
  from: number;
  end: number;
  /** Marked as rounded: "= about 3". */
  rounded?: boolean;
}

function rightSide(
  tokens: readonly ArithmeticToken[],
  reader: ExpressionReader,
  from: number,
  to: number,
): EquationSide | null {
  const rounded = /^(?:about|approximately|around|roughly|nearly|almost)$/.test(tokens[from]?.text ?? '');
  const begin = rounded ? from + 1 : from;
  const read = reader.read(begin, to);
  return read && { expression: read.expression, from: begin, end: read.end, rounded };
}

const endsClause = ({ kind, text }: ArithmeticToken) =>
  kind === 'break' || (kind === 'word' && connectives.has(text.toLowerCase()));

/** The tokens between two signs begin at `gap`; those before `from` are the right side of the first sign. */
interface Stretch {
  from: number;
  to: number;
  gap: number;
}

/** The expression that ends at `to`: in the last clause, after all leading words. */
function leftSide(
  tokens: readonly ArithmeticToken[],
  reader: ExpressionReader,
  { from, to, gap }: Stretch,
): EquationSide | null {
  let at = to;
  while (at > from && !endsClause(tokens[at - 1])) at--;
  // In the clause of the previous sign, tokens beyond its right side are not a new left side.
  let computed = at === from && from > gap && !endsClause(tokens[from]);
  if (tokens[at]?.kind === 'operator' && tokens[at + 1]?.spaced && tokens[at - 1]?.kind !== 'word') at++; // a bullet
  while (at < to) {
    const read = reader.read(at, to);
    if (!read) {
      // An operator without a number before it belongs to something that is not understood.
      computed ||= tokens[at].kind === 'operator' || tokens[at].kind === 'other' || tokens[at].kind === 'variable';
      at = tokens[at].kind === 'open' ? reader.matchingBracket(at) + 1 : at + 1;
      continue;
    }
    if (read.end === to) return computed ? null : { expression: read.expression, from: at, end: to };
    computed ||= read.expression.kind !== 'number';
    at = read.end;
  }
  return null;
}

/** The end of the last number of a side, including closing brackets: units are not part of a value. */
export function endOfValue(tokens: readonly ArithmeticToken[], reader: ExpressionReader, side: EquationSide): number {
  let last = side.end - 1;
  while (last > side.from && tokens[last].kind !== 'number') last--;
  while (last + 1 < side.end && tokens[last + 1].kind === 'close' && reader.matchingBracket(last + 1) >= side.from)
    last++;
  return tokens[last].end;
}
