/**
 * Texts that should make parsers slow: the things that they look for, repeated endlessly, unfinished, nested, or joined
 * without spaces.
 */

const units = [
  // spaces and ends of lines
  ...[' ', '\n', '\r\n', '\t', '\n\n', ' \n', '\u00a0', '\u200b', '\0', '\u001b[', '\u202e', '\ud800'],
  // words and letters
  ...[
    'a',
    'a ',
    'é',
    '👩‍👩‍👧',
    'e\u0301',
    'one ',
    'one hundred ',
    'one hundred thousand and ',
    'half of ',
    '百',
    'so ',
    'the ',
    'Step',
  ],
  ...["it's ", '"', '“', "'", '. ', '? ', '; ', ', ', ': ', '- ', '* ', '… ', 'Mr. ', 'e.g. ', 'x', 'x ', 'I ', 'pi '],
  // numbers
  ...[
    '1',
    '1 ',
    '0',
    '9',
    '1,',
    '1,111',
    '1,111 ',
    '1 111 ',
    '1.',
    '1.1',
    '1/',
    '1/2 ',
    '1:1 ',
    '1:',
    '1e9',
    '1st ',
    '1%',
    '½',
    '-1 ',
    '٣',
  ],
  // sums
  ...[
    '1 + ',
    '1+1=',
    '1 + 1 = 2\n',
    '1 + 1 = 3\n',
    '1 + 1 = 2. ',
    '1 + 1 = ',
    '= ',
    '=',
    '1=',
    '2 x 3 = 6 ',
    '-',
    '- 1',
    '+',
    '^',
    '2^',
    '1*',
  ],
  ...[
    'x = 1, ',
    'x + 1 = ',
    '≈',
    '1 hour + 30 minutes = 90. ',
    '1 111 1 = one hour + 30 minutes = ',
    '$1 + $2 = $3 ',
    '100% of ',
    'is 1 ',
    '10 - 3 is ',
  ],
  // brackets
  ...[
    '(',
    ')',
    '((1',
    '[',
    ']',
    '{',
    '}',
    '(1)',
    '()',
    '|',
    '<',
    '>',
    '<<',
    '>>',
    '<<1',
    '<<1+1=2>>',
    '1+1=<<1+1=2>>2 ',
  ],
  // LaTeX
  ...[
    '\\',
    '\\\\',
    '$',
    '$$',
    '$1$',
    '\\(',
    '\\)',
    '\\[',
    '\\]',
    '\\frac',
    '\\frac{',
    '\\frac{1}{',
    '\\frac12',
    '\\sqrt{',
    '\\boxed{',
  ],
  ...[
    '\\boxed{1} ',
    '\\text{',
    '\\text{a}',
    '\\left(',
    '\\begin{pmatrix}',
    '\\end{pmatrix}',
    '&',
    '_{',
    'x_1',
    '^{',
    '\\,',
    '\\%',
    '\\cdot ',
    '\\pm ',
  ],
  // marks of answers, steps and thinking
  ...[
    '#',
    '####',
    '#### 1\n',
    '#### ',
    'Answer: ',
    'Answer: 1\n',
    '**Answer:** ',
    'answer is ',
    'The answer is 1. ',
    'The final answer is ',
  ],
  ...[
    'Step 1: ',
    'Step 1: 1 + 1 = 2\n',
    'Step 1:\n',
    '1. ',
    '1) a\n',
    '- a\n',
    '**',
    '__',
    '`',
    '```\n',
    '## ',
    '<think>',
    '</think>',
    '<think>a</think>',
  ],
  ...[
    '[MASK]',
    '<answer>',
    '<|im_start|>user\n',
    '\nuser\n',
    '[INST]',
    '`a` ',
    'Question: ',
    'Q: ',
    'Therefore, ',
    'wait, ',
    'no, ',
    'not 1 but ',
    '(A) ',
    'A. ',
    'yes ',
    '&#1;',
    '[a](command:b)',
    '| a | b |\n',
    '"a": {',
  ],
];

/** Whole units only, as a text that ends within one may be parsed differently. */
const repeat = (unit: string, length: number) => unit.repeat(Math.floor(length / unit.length));

/** Pairs: many opening marks far from the closing ones, and one kind followed by the other. */
const pairs: [string, (length: number) => string][] = [
  ['( then )', (n) => repeat('(', n / 2) + repeat(')', n / 2)],
  ['(1+ then )', (n) => repeat('(1+', (n * 3) / 4) + repeat(')', n / 4)],
  ['{ then }', (n) => repeat('{', n / 2) + repeat('}', n / 2)],
  ['[ then ]', (n) => repeat('[', n / 2) + repeat(']', n / 2)],
  ['\\frac{1}{ then }', (n) => repeat('\\frac{1}{', (n * 9) / 10) + repeat('}', n / 10)],
  ['\\boxed{ then }', (n) => repeat('\\boxed{', (n * 7) / 8) + repeat('}', n / 8)],
  ['2^ in a box', (n) => `\\boxed{${repeat('2^', n)}2}`],
  ['9 in a box', (n) => `\\boxed{${repeat('9', n)}}`],
  ['9 and a box', (n) => `${repeat('9', n)}\\boxed{1}`],
  ['an answer, then lines', (n) => `#### 1${repeat('\n', n)}`],
  ['spaces, then an answer', (n) => `${repeat(' ', n)}#### 1`],
  ['spaces, then a letter', (n) => `a${repeat(' ', n)}b`],
  ['lines, then steps', (n) => repeat('\n', n / 2) + repeat('Step 1: 1 + 1 = 2\n', n / 2)],
  ['steps, then lines', (n) => repeat('Step 1: 1 + 1 = 2\n', n / 2) + repeat('\n ', n / 2)],
  ['one sum of many terms', (n) => `${repeat('1 + ', n)}1 = 2`],
  ['one chain of equalities', (n) => `1 + 1 ${repeat('= 2 ', n)}`],
  ['words, then a sum', (n) => `${repeat('one ', n)}1 + 1 = 3`],
  ['numbers that all differ', (n) => numbered(n, (i) => `${i} `)],
  ['sums that all differ', (n) => numbered(n, (i) => `${i} + ${i + 1} = ${2 * i + 1}\n`)],
  ['wrong sums that all differ', (n) => numbered(n, (i) => `Step ${i}: ${i} + ${i + 1} = ${2 * i + 3}\n`)],
  ['results of results', (n) => numbered(n, (i) => `${i} + 1 = ${i + 1}. `)],
  ['steps that all differ', (n) => numbered(n, (i) => `Step ${i}: take ${i} and ${7 * i}\n`)],
  ['words that all differ', (n) => numbered(n, (i) => `w${i.toString(36)} `)],
  ['unknowns', (n) => numbered(n, (i) => `${String.fromCharCode(97 + (i % 26))} = ${i}, `)],
  ['answers that all differ', (n) => numbered(n, (i) => `The answer is ${i}. `)],
  ['many <think>, then many </think>', (n) => repeat('<think>', n / 2) + repeat('</think>', n / 2)],
];

/** A mark, and then white space where something else is expected. */
const gaps = [
  '<answer>',
  'Question:',
  'Answer:',
  'Step 1:',
  '<think>',
  '\\boxed{',
  '$',
  '|',
  '1 =',
  '**',
  '.',
  '1',
].flatMap((mark) =>
  [' ', '\n'].map((space): [string, (length: number) => string] => [
    `${mark}, then ${JSON.stringify(space)}, then a letter`,
    (n) => `${mark}${repeat(space, n)}b`,
  ]),
);

function numbered(length: number, write: (i: number) => string): string {
  const parts: string[] = [];
  for (let done = 0, i = 0; done < length; i++) {
    parts.push(write(i));
    done += parts[i].length;
  }
  return parts.join('');
}

/** By name; each makes a text of about the given number of characters. */
export const hostileTexts: [name: string, make: (length: number) => string][] = [
  ...units.map((unit): [string, (length: number) => string] => [JSON.stringify(unit), (n) => repeat(unit, n)]),
  ...pairs,
  ...gaps,
];
