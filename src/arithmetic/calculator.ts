import type { Span } from '../answers/span';
import { memoized } from '../memoized';
import { isDoubtful } from './ambiguous-equations';
import { type EquationSide, type EquationSides, endOfValue, equationSides, mostEqualities } from './equation-sides';
import { format, writeSide } from './equation-text';
import { evaluate, type NotationReading } from './expression';
import { lex } from './lexer';
import { isTrue } from './tolerance';

/** An equation between numbers as a text states it: "12 x 3 = 38". */
export interface StatedEquation extends Span {
  /** The left side as written, without units and LaTeX formatting: "12 x 3". */
  left: string;
  operator: '=' | '≈';
  /** The right side in the same form: "38". */
  right: string;
  /** The value of the right side, as a decimal number or a fraction: "38". */
  stated: string;
  /** The correct value of the left side: "36". */
  actual: string;
  correct: boolean;
}

/**
 * The equations of a text whose left side is a computation and whose sides consist of numbers, with units ignored;
 * each sign of a chain "a + b = c = d" gives one. Uses exact rational arithmetic; nothing is evaluated as code.
 *
 * Understood: + - * / ^ with brackets, x × ÷, \times \frac{a}{b} \text{..} \$, thousands commas, percent, "15% of 80",
 * "plus", GSM8K's calculator marks. An equation is false only if no reasonable reading makes it true: results may be
 * rounded (2/3 = 0.67), a percentage may be a fraction or a bare number, a running sum may use "=" for "then" (2 + 3 =
 * 5 + 4 = 9). Skipped because they cannot be judged: variables, clock times, number words, and false equations that mix
 * units of one kind (1 hour + 30 minutes = 90). Linear in the length of the text.
 */
export const checkEquations = memoized((text): readonly StatedEquation[] => {
  const plain = blankMarks(text);
  const equations = equationsOf(plain);
  const stated = equations.length;
  let next = 0;
  for (const mark of text.matchAll(/<<([^<>\n]{0,200})>>/g)) {
    // A calculator mark repeats the equation around it; it counts if the surrounding text has none.
    if (equations.length >= mostEqualities) break;
    const start = mark.index + 2;
    while (next < stated && equations[next].end <= start) next++;
    if (next < stated && equations[next].start < start) continue;
    for (const found of equationsOf(mark[1])) {
      equations.push({ ...found, start: found.start + start, end: found.end + start });
    }
  }
  return equations.sort((a, b) => a.start - b.start);
}, 1 << 18);

/** The text with spaces in place of GSM8K's calculator marks, so that positions do not change. */
function blankMarks(text: string): string {
  return text.replace(/<<[^<>\n]{0,200}>>/g, (mark) => ' '.repeat(mark.length));
}

/** A number that a text states as the value of something. */
export interface StatedValue extends Span {
  value: string;
  /** Whether the other side is an expression, and its correct value; "x = 45" and "Total = 120" have none. */
  computed: boolean;
  actual?: string;
}

/**
 * Every right side of an equality that is one number, whatever the left side is, including those that `checkEquations`
 * cannot judge. The range includes the left side if that is a computation.
 */
export const statedValues = memoized(
  (text): readonly StatedValue[] =>
    equationSides(lex(blankMarks(text))).flatMap(({ tokens, reader, left, right }) => {
      const value = right && right.expression.kind !== 'binary' ? evaluate(right.expression, bare) : null;
      if (!value || !right) return [];
      const computes = left?.expression.kind === 'binary' ? left : null;
      const actual = computes && evaluate(computes.expression, bare);
      return {
        value: format(value),
        computed: computes !== null,
        ...(actual && { actual: format(actual) }),
        start: tokens[(computes ?? right).from].start,
        end: endOfValue(tokens, reader, right),
      };
    }),
  1 << 18,
);

function equationsOf(text: string): StatedEquation[] {
  return equationSides(lex(text)).flatMap((sides) => judge(text, sides) ?? []);
}

const share: NotationReading = { percent: 'share', scaled: true };
const bare: NotationReading = { percent: 'bare', scaled: false };

/** The equation of two sides, or null if it cannot be judged. */
function judge(text: string, { tokens, reader, sign, left, right }: EquationSides): StatedEquation | null {
  if (!left || !right) return null;
  const computes = left.expression.kind === 'binary';
  const restates = right.expression.kind === 'binary' && left.expression.kind === 'number' && left.expression.bare;
  const continues = tokens[left.from - 1]?.kind === 'equals';
  if (!computes && !(restates && continues)) return null;
  const [actual, stated] = [evaluate(left.expression, share), evaluate(right.expression, share)];
  if (!actual || !stated) return null;

  const start = tokens[left.from].start;
  const end = endOfValue(tokens, reader, right);
  const operator = sign.text as '=' | '≈';
  const context = text.slice(sign.end, end + 80).split('\n', 1)[0];
  const loose = operator === '≈' || right.rounded === true || roundingWords.test(context);
  const correct = isTrue(left.expression, right.expression, loose);
  if (!correct && isDoubtful(text, tokens, [left, right], stated)) return null;
  const written = (side: EquationSide) => writeSide(text, tokens, reader, side);
  return {
    left: written(left),
    operator,
    right: written(right),
    stated: format(stated),
    actual: format(actual, stated.d > 1n),
    start,
    end,
    correct,
  };
}

/** Words near a result that mark it as approximate. */
const roundingWords = /\b(?:round|approx|nearest|about|remain|left ?over|whole|R ?\d|and \W{0,3}\d+\/\d)/i;
