import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../paths';
import { cpuTime } from '../testing/cpu-time';
import { sameAnswer } from './equal';
import { extractAnswer } from './extract';
import { judge } from './grade';

const read = (name: string) => readFileSync(join(packageRoot(), 'test/fixtures/answers', name), 'utf8');
/** Reference answer, text, a person's verdict, and where it is another one that on the lenient answer. */
type Pair = [gold: string, text: string, right: boolean, lenient?: boolean];

const battery = JSON.parse(read('battery.json')) as Record<string, Pair[]>;

test('the battery has 400 pairs or more, and a third of them are wrong', () => {
  const pairs = Object.values(battery).flat();
  expect(pairs.length).toBeGreaterThanOrEqual(400);
  expect(pairs.filter(([, , right]) => !right).length).toBeGreaterThan(pairs.length / 3);
  expect(new Set(pairs.map(([gold, text]) => `${gold}\n${text}`)).size).toBe(pairs.length);
});

describe.each(Object.entries(battery))('%s', (_, pairs) => {
  test.each(pairs)('%j: %j', (gold, text, right, lenient) => {
    const verdict = judge(text, gold);
    expect(verdict.correct).toBe(right);
    if (lenient !== undefined) expect(verdict.lenientCorrect).toBe(lenient);
    else if (right) expect(verdict.lenientCorrect).toBe(true);
  });
});

describe.each(['grading-battery.json', 'grading-false-positives.json'])('%s', (name) => {
  test.each(JSON.parse(read(name)) as [string, string, boolean, string?][])('%j: %j', (gold, text, right) => {
    expect(judge(text, gold).correct).toBe(right);
  });
});

describe('adversarial.json', () => {
  test.each(JSON.parse(read('adversarial.json')) as [string, string, boolean][])('%j: %j', (gold, text, right) => {
    expect(judge(text, gold).lenientCorrect).toBe(right);
  });
});

test('ten answers of a model server, seven of them right', () => {
  const rows = read('server-grading.jsonl').trim().split('\n');
  const { rules } = JSON.parse(read('server-grading.rules.json')) as { rules: { match: string; text: string }[] };
  const right = rows.flatMap((line) => {
    const { id, question, answer } = JSON.parse(line) as Record<string, string>;
    return judge(rules.find(({ match }) => match === question)!.text, answer).correct ? [id] : [];
  });
  expect(right).toEqual(['g0', 'g1', 'g3', 'g4', 'g5', 'g8', 'g9']);
});

describe('a comparison of any texts ends within a second', () => {
  const longest = 1900;
  const nested = (open: string, close: string, inside: string) => {
    const n = Math.floor((longest - inside.length) / (open.length + close.length));
    return open.repeat(n) + inside + close.repeat(n);
  };
  test.each([
    ['9^9^9^9^9', '9^9^9^9^8'],
    ['(x+1)^{999999}', '(1+x)^{999999}+1'],
    ['99999!', '99998!'],
    ['5!!!!!!!!', '5!!!!!!!'],
    ['1'.repeat(longest), `${'1'.repeat(longest - 1)}2`],
    [nested('(', ')', 'x'), nested('(', ')', 'y')],
    [nested('\\frac{1}{', '}', 'x'), nested('\\frac{1}{', '}', 'y')],
    [nested('\\sqrt{', '}', 'x'), nested('\\sqrt{', '}', 'y')],
    [nested('\\sin(', ')', 'x'), nested('\\sin(', ')', 'y')],
    ['x+'.repeat(390).concat('1'), 'x+'.repeat(390).concat('2')],
    ['\\sin x + '.repeat(150).concat('1'), '\\sin x + '.repeat(150).concat('2')],
    ['x^{0.3}'.repeat(80), 'x^{0.4}'.repeat(80)],
    [
      Array.from({ length: 60 }, (_, i) => `\\sqrt{${i}+x}`).join(', '),
      Array.from({ length: 60 }, (_, i) => `\\sqrt{${i}+y}`).join(', '),
    ],
    ['\\pm 1'.repeat(100), '\\pm 2'.repeat(100)],
    ['2^'.repeat(300).concat('2'), '2^'.repeat(300).concat('3')],
    ['\\log '.repeat(120).concat('x'), '\\log '.repeat(120).concat('y')],
    [`${'1,'.repeat(300)}1`, `${'1,'.repeat(300)}2`],
    ['a_{'.repeat(400), 'a_{'.repeat(399)],
    ['|'.repeat(700), '|'.repeat(699)],
  ])('%#', (a, b) => {
    expect(cpuTime(() => expect(sameAnswer(a, b)).toBe(false))).toBeLessThan(1000);
    expect(cpuTime(() => sameAnswer(b, a))).toBeLessThan(1000);
  });

  test.each([
    '<think>',
    '\\boxed{1} and ',
    '\\boxed{',
    '**1** ',
    '$x$ ',
    '"answer": ',
    '#### 1. ',
    '答案是',
    'x^',
    '\nQuestion: 1',
    '<answer>',
    '1 apple and ',
    '\\',
    '{,}',
    'the answer is not ',
  ])('a million characters of %j', (piece) => {
    const text = piece.repeat(1_000_000 / piece.length);
    expect(cpuTime(() => extractAnswer(text, 'lenient'))).toBeLessThan(1000);
    expect(cpuTime(() => extractAnswer(`Answer: ${text}`, 'strict'))).toBeLessThan(1000);
    expect(cpuTime(() => judge(`\\boxed{${text}}`, text))).toBeLessThan(1000);
  });
});
