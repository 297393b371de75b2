import type Fraction from 'fraction.js';
import type { EquationSide } from './equation-sides';
import type { ArithmeticToken } from './lexer';
import type { ExpressionReader } from './reader';

/** A side as written, on one line, without units, currency and remarks; \frac{1}{2} becomes 1/2, \times becomes ×. */
export function writeSide(
  text: string,
  tokens: readonly ArithmeticToken[],
  reader: ExpressionReader,
  { from, end }: EquationSide,
): string {
  const signs: Record<string, string> = { '*': ' × ', '/': ' ÷ ', '+': ' + ', '-': ' - ', '^': '^' };
  let line = '';
  for (let i = from; i < end; i++) {
    const { kind, text: sign, start, end: stop } = tokens[i];
    const source = text.slice(start, stop);
    if ((kind === 'number' || kind === 'fraction') && i > from && tokens[i - 1].kind === 'number') line += ' '; // 1 1/2
    if (kind === 'number') line += source.replace(/\\(?:[,!]|(?=%))|[{}]|\s/g, '');
    else if (kind === 'operator' && tokens[i + 1]?.kind !== 'word') {
      const unary = i === from || ['operator', 'open'].includes(tokens[i - 1].kind);
      const tight = sign === '/' && !tokens[i].spaced && !tokens[i + 1]?.spaced;
      if (tight || unary) line += sign;
      else line += source.startsWith('\\') || '+-^'.includes(sign) ? signs[sign] : ` ${source} `;
    } else if (kind === 'word' && source === 'of' && tokens[i + 1]?.kind === 'number') line += ' of ';
    else if (kind === 'open' && (!reader.holdsNumber(i) || tokens[i + 1].kind === 'word'))
      i = reader.matchingBracket(i);
    else if (kind === 'open') line += '(';
    else if (kind === 'close') line += text[start] === '}' && text[stop] === '{' ? ')/' : ')';
  }
  return line
    .replace(/(?<![\d)])\((\d[\d.,]*%?)\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

/** A value for people: a number with at most four decimals, or a small fraction unless `decimal` is set. */
export function format(value: Fraction, decimal = false): string {
  if (value.d > 1n && value.d <= 12n && !decimal && 10_000n % value.d !== 0n) return value.toFraction();
  return value.round(4).toString();
}
