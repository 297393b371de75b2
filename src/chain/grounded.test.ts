import { describe, expect, test } from 'vitest';
import { groundedness } from './grounded';
import { splitChain } from './split';

const clips =
  'Mia sold clips to 48 of her friends in April, and half as many in May. How many clips did she sell in both months?';
const honest = 'Step 1: May: 48 / 2 = 24.\nStep 2: Both: 48 + 24 = 72.\nAnswer: 72';
const faultOf = (text: string, question: string | undefined = clips, teacher?: string) =>
  groundedness(question, text, teacher === undefined ? undefined : splitChain(teacher)).fault;

describe('steps that arrive at the answer', () => {
  test.each([
    ['labelled', honest],
    ['sentences', 'In May she sold 48 / 2 = 24 clips. So she sold 48 + 24 = 72 clips.\n#### 72'],
    ['in one equation', 'Step 1: 48 + 48 / 2 = 72.\nAnswer: 72'],
    ['in words', 'Step 1: Half of 48 is 24.\nStep 2: 48 and 24 are 72 together.\nAnswer: 72'],
    [
      'by an unknown',
      'Step 1: Let x be the clips of May. 2x = 48.\nStep 2: x = 24.\nStep 3: 48 + 24 = 72.\nAnswer: 72',
    ],
    ['LaTeX', 'Step 1: \\[ \\frac{48}{2} = 24 \\]\nStep 2: \\[ 48 + 24 = \\boxed{72} \\]'],
    ["GSM8K's marks", 'She sold 48/2 = <<48/2=24>>24 in May.\nShe sold 48+24 = <<48+24=72>>72.\n#### 72'],
    ['after thinking', '<think>\n48 / 2 = 25? No, 48 / 2 = 24, and 48 + 24 = 72.\n</think>\nThe answer is 72.'],
    ['a wrong answer too', 'Step 1: 48 * 2 = 96.\nStep 2: 96 + 48 = 144.\nAnswer: 144'],
  ])('%s', (_, text) => expect(faultOf(text)).toBeNull());

  test('with other words than English', () => {
    const question = 'Mia verkauft im April 48 Klammern und im Mai halb so viele. Wie viele sind es zusammen?';
    const text = 'Step 1: Im Mai sind es 48 / 2 = 24.\nStep 2: Zusammen sind es 48 + 24 = 72.\nAnswer: 72';
    expect(faultOf(text, question)).toBeNull();
  });
});

test('a factor of one that the question says is a number like others', () => {
  const question = 'Three boxes hold 1 nails each. How many nails is that?';
  expect(faultOf('Step 1: 3 * 1 = 3\nAnswer: 3', question)).toBeNull();
  expect(faultOf('Step 1: 1 * 7 = 7\nAnswer: 7', question)).not.toBeNull();
});

test('a number divided by itself uses none of the question', () => {
  const question =
    'A tank holds 240 liters. 3 pumps each remove 16 liters a minute. How many minutes until it is empty?';
  expect(faultOf('Step 1: 16 / 16 = 1.\nStep 2: 1 + 1 + 3 = 5.\nAnswer: 5', question)).not.toBeNull();
  expect(faultOf('Step 1: 240 / 240 = 1.\nStep 2: 1 + 4 = 5.\nAnswer: 5', question)).not.toBeNull();
  const each = 'Ben has 10 bags with 10 nuts in all, and eats 3 bags each day for 2 days. How many nuts does he eat?';
  const honest = 'Step 1: 10 / 10 = 1 nut a bag.\nStep 2: 3 * 2 = 6 bags.\nStep 3: 6 * 1 = 6.\nAnswer: 6';
  expect(faultOf(honest, each, honest)).toBeNull();
  const trays = 'There are 6 trays. Each holds 10 nuts for 10 kids. How many nuts does a kid get?';
  expect(faultOf('Step 1: 10 / 10 = 1.\nStep 2: 6 * 1 = 6.\nAnswer: 6', trays)).toBeNull();
});

describe('what does not arrive', () => {
  test.each([
    ['there is no answer', 'Step 1: 48 / 2 = 24.'],
    ['there are no steps, only an answer', 'Answer: 72'],
    ['there are no steps, only an answer', 'Step 1: \nAnswer: 72'],
    ['there are no steps, only an answer', 'Step 1: Answer: 72'],
    ['there are no steps, only an answer', 'Step 1:\u200b\nStep 2: ...\nAnswer: 72'],
    ['step 2 is empty', 'Step 1: 48 / 2 = 24.\nStep 2:\nStep 3: 48 + 24 = 72.\nAnswer: 72'],
    ['step 2 repeats step 1', 'Step 1: 48 + 24 = 72.\nStep 2: 48 + 24 = 72!\nAnswer: 72'],
    ['two answers: 71 and 72', 'Step 1: 48 / 2 = 24.\nStep 2: 48 + 24 = 72.\nAnswer: 71\nAnswer: 72'],
    ['the answer comes before the steps', 'Answer: 72\nStep 1: 48 / 2 = 24.\nStep 2: 48 + 24 = 72.'],
    ['the answer comes before the steps', 'Answer: 72\nStep 1: 48 / 2 = 24.\nStep 2: 48 + 24 = 72.\nAnswer: 72'],
    ['48 + 24 is 72, not 74', 'Step 1: 48 / 2 = 24.\nStep 2: 48 + 24 = 74.\nAnswer: 72'],
    ['the answer 72 comes from no step', 'Step 1: Half of 48 is 24.\nAnswer: 72'],
    ['the answer 72 comes from no step', 'Step 1: So the result is 72.\nAnswer: 72'],
    ['the answer 72 comes from no step', 'Step 1: The numbers are 48 and 2.\nStep 2: Hence it is 72.\nAnswer: 72'],
    ['the answer 72 comes from no step', 'Step 1: 72 = 72.\nAnswer: 72'],
    ['the answer 72 comes from no step', 'Step 1: 1 * 72 = 72.\nStep 2: 0 + 72 = 72 clips.\nAnswer: 72'],
    ['the answer 72 comes from no step', 'Step 1: 72 + 48 - 48 = 72.\nAnswer: 72'],
    ['the answer 72 comes from no step', `Step 1: ${clips.replaceAll('?', '.')}\nAnswer: 72`],
    ['the answer 72 comes from no step', 'Step 1: ４８ + ２４ is what is asked.\nAnswer: 72'],
    ['8 comes from neither the question nor an earlier step', 'Step 1: 8 * 9 = 72.\nAnswer: 72'],
    ['70 comes from neither the question nor an earlier step', 'Step 1: 70 + 2 = 72.\nAnswer: 72'],
    ['144 comes from neither the question nor an earlier step', 'Step 1: 144 / 2 = 72.\nAnswer: 72'],
    [
      'an equation with 16 has nothing to do with the question',
      `Step 1: 7 + 9 = 16.\n${honest.replace('Step 1', 'Step 2')}`,
    ],
    [
      'the steps are in another language than the question',
      honest.replace('May', 'En mai elle vend').replace('Both', 'Pour les deux mois'),
    ],
    [
      'the steps are in another language than the question',
      honest.replace('May', '五月她卖了').replace('Both', '两个月一共'),
    ],
    [
      'most of the text says nothing about the question',
      `Step 1: It is of great worth to go slowly and with a calm mind. ${'No haste helps anybody here, as ever. Patience wins.'}\n${honest}`,
    ],
  ])('%s: %s', (fault, text) => expect(faultOf(text)).toBe(fault));

  test('an answer that uses hardly any of the numbers', () => {
    const question =
      'A shop has 9 crates of 14 jars and 25 more jars. It sells 31 of them at 6 dollars each. How many jars are left?';
    expect(
      faultOf('Step 1: 9 * 14 = 126.\nStep 2: 126 + 25 = 151.\nStep 3: 151 - 31 = 120.\nAnswer: 120', question),
    ).toBeNull();
    expect(
      faultOf('Step 1: 6 * 2 = 12.\nStep 2: 12 * 100 = 1200.\nStep 3: 1200 / 10 = 120.\nAnswer: 120', question),
    ).not.toBeNull();
  });

  test("the teacher's chain word for word, when there is something to shorten", () => {
    const teacher = `Step 1: In the month of April she sold clips to 48 of her friends, and in the month of May she sold half as many clips as that, which makes 48 / 2 = 24 clips.
Step 2: To know how many clips she sold in both of the months we add the two numbers: 48 + 24 = 72 clips.
Answer: 72`;
    expect(faultOf(teacher, clips, teacher)).toBe("the teacher's chain word for word");
    expect(faultOf(teacher)).toBeNull();
    expect(faultOf(honest, clips, teacher)).toBeNull();
    expect(faultOf(honest, clips, honest)).toBeNull();
  });
});

describe('where nothing can be computed', () => {
  const question = 'Today is Saturday. Which day of the week is it two days after tomorrow?';
  const verdict = (text: string) => groundedness(question, text);

  test('a chain of words is not judged', () => {
    const text = 'Step 1: Tomorrow is Sunday.\nStep 2: Two days after Sunday comes Tuesday.\nAnswer: Tuesday';
    expect(verdict(text)).toEqual({ applies: false, grounded: true, fault: null });
  });

  test.each([
    ['there are no steps, only an answer', 'Step 1: Answer: Tuesday'],
    ['no step says the answer Tuesday', 'Step 1: Today is Saturday.\nAnswer: Tuesday'],
    ['the steps say nothing but the answer', 'Step 1: So the result is Tuesday.\nAnswer: Tuesday'],
    ['the steps say nothing about the question', 'Step 1: Monday precedes Tuesday.\nAnswer: Tuesday'],
    ['the steps only repeat the question', `Step 1: ${question} Tuesday.\nAnswer: Tuesday`],
    ['2 + 2 is 4, not 5', 'Step 1: 2 + 2 = 5, so two days after tomorrow it is Tuesday, say I.\nAnswer: Tuesday'],
  ])('but its form is: %s', (fault, text) => expect(verdict(text).fault).toBe(fault));

  test("a number that the teacher's own chain does not compute", () => {
    const asked = 'How many primes are there below 20?';
    const teacher = splitChain(
      'Step 1: The primes are 2, 3, 5, 7, 11, 13, 17 and 19.\nStep 2: That makes 8 of them.\nAnswer: 8',
    );
    const text = 'Step 1: Primes below 20: 2, 3, 5, 7, 11, 13, 17, 19; these are 8.\nAnswer: 8';
    expect(groundedness(asked, text, teacher)).toMatchObject({ applies: false, grounded: true });
    expect(groundedness(asked, 'Step 1: Counted.\nAnswer: 8', teacher).grounded).toBe(false);
  });
});

test('a question is no step, and an exclamation mark no factorial where the steps say the number', () => {
  const larger = 'Which is larger, 5/8 or 3/5?';
  expect(groundedness(larger, 'Step 1: 5/8 or 3/5 larger?\nAnswer: 5/8').grounded).toBe(false);
  expect(groundedness(larger, 'Step 1: 5/8 = 0.625 and 3/5 = 0.6, so 5/8 is larger.\nAnswer: 5/8').grounded).toBe(true);
  const apples = 'Tom has 5 apples and buys 10. How many has he?';
  for (const last of ['Answer: 15!', 'So the answer is 15!'])
    expect(groundedness(apples, `Step 1: How many are 5 and 10? 5 + 10 = 15.\n${last}`).fault).toBeNull();
  expect(groundedness(apples, 'Step 1: 5 + 10 = 15.\nAnswer: 16!').grounded).toBe(false);
});

test('without the question its numbers count as given, but the answer must come from an equation', () => {
  expect(groundedness(undefined, honest)).toEqual({ applies: true, grounded: true, fault: null });
  expect(groundedness(undefined, 'Step 1: 1 * 72 = 72.\nAnswer: 72').fault).toBe('the answer 72 comes from no step');
});

test.each([
  '1 111 '.repeat(20_000),
  '<<1+1=2>>'.repeat(11_000),
  'x = 5, '.repeat(14_000),
  'Answer: 5\n'.repeat(10_000),
])('100 kB take no more than seconds: %.12s', (text) => {
  const begun = process.cpuUsage();
  groundedness(clips, `Step 1: ${text}\nAnswer: 72`);
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(20);
});
