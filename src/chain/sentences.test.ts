import { expect, test } from 'vitest';
import { latexSpans } from '../arithmetic/latex';
import { cpuTime } from '../testing/cpu-time';
import { splitSentences } from './sentences';

const sentences = (text: string) => splitSentences(text).map(({ start, end }) => text.slice(start, end));
const math = (text: string) => latexSpans(text).map(({ start, end }) => text.slice(start, end));

test.each([
  ['It is 3.5. Then 4!', ['It is 3.5.', 'Then 4!']],
  ['Mr. Fox and Dr. Who met at 5 p.m. sharp. They ate.', ['Mr. Fox and Dr. Who met at 5 p.m. sharp.', 'They ate.']],
  ['She gave some to Lea, call it L. So 5 + L = 17.', ['She gave some to Lea, call it L.', 'So 5 + L = 17.']],
  ['Homer J. Simpson ate. Why? Because!', ['Homer J. Simpson ate.', 'Why?', 'Because!']],
  ['He said "go." Then he went...  And so on', ['He said "go."', 'Then he went...', 'And so on']],
  ['1. Add them.\n2. Halve them.', ['1. Add them.', '2. Halve them.']],
  ['a line\nAnother line\n  = 5\n\nEnd', ['a line', 'Another line\n  = 5', 'End']],
  ['We get \\[ a = 1. B = 2 \\] dollars. Good.', ['We get \\[ a = 1. B = 2 \\] dollars.', 'Good.']],
  ['It is $x. Y$ here. Pay $5. Or $6. Done.', ['It is $x. Y$ here.', 'Pay $5.', 'Or $6.', 'Done.']],
  ['  \n ', []],
])('%j', (text, expected) => expect(sentences(text)).toEqual(expected));

test.each([
  ['\\(a\\) and \\[b\\] and $$c$$ and $d$', ['\\(a\\)', '\\[b\\]', '$$c$$', '$d$']],
  ['$5 and $6, or \\$7 and 8 $', []],
  ['never closed \\( a', []],
  ['$a$ \\( $b$ \\)', ['$a$', '\\( $b$ \\)']],
])('mathematics in %j', (text, expected) => expect(math(text)).toEqual(expected));

test('time grows with length only', () => {
  for (const piece of ['.', '. ', '$', '$a ', '\\(', 'A. ', '\n', 'a. B ']) {
    const text = piece.repeat(100_000 / piece.length);
    expect(cpuTime(() => splitSentences(text), 1)).toBeLessThan(1000);
  }
});
