import { describe, expect, test } from 'vitest';
import { failureCategory, firstWrongStep } from './faults';
import { renderChain } from './prompts';
import { splitChain } from './split';

const teacher = splitChain(
  'Thinking: 48 friends in April.\nStep 1: May: 48 / 2 = 24 clips.\nStep 2: Both: 48 + 24 = 72 clips.\nAnswer: 72',
);
const student = (...steps: string[]) => {
  const answer = steps.pop()!;
  return { thinking: '', steps, answer };
};

describe('the first wrong step', () => {
  test('a false equation, wherever the reference', () => {
    const chain = student('May: 48 / 2 = 24 clips.', 'Both: $48 + $24 = $74, then 74 - 2 = 70.', '70');
    for (const reference of [undefined, teacher, '72']) {
      const fault = firstWrongStep(chain, reference)!;
      expect(fault).toMatchObject({ step: 1, kind: 'arithmetic', message: '48 + 24 is 72, not 74' });
      expect(chain.steps[1].slice(fault.start, fault.end)).toBe('48 + $24 = $74');
    }
  });

  test('the first result that the teacher never has', () => {
    const chain = student('In April 48.', 'May: 48 * 2 = 96 clips.', 'Both: 48 + 96 = 144.', '144');
    expect(firstWrongStep(chain, teacher)).toMatchObject({
      step: 1,
      kind: 'departure',
      message: "leaves the teacher's path here: the teacher never has 96",
    });
    expect(firstWrongStep(chain)).toBeNull();
  });

  test('a given number is not a result of the teacher, and restating it is not a departure', () => {
    expect(firstWrongStep(student('April = 48.', '24 * 2 = 48', '48'), teacher)).toMatchObject({ step: 1 });
    expect(firstWrongStep(student('Let x = 31.', '31'), teacher)).toMatchObject({ step: 0, kind: 'departure' });
  });

  test('with the answer alone, the step that arrives at the wrong one', () => {
    const chain = student('48 / 2 = 24', '48 - 24 = 24', 'So 24 + 6 = 30', '30');
    expect(firstWrongStep(chain, '72')).toMatchObject({
      step: 2,
      kind: 'departure',
      message: 'arrives at 30; the answer is 72',
    });
    expect(firstWrongStep(chain, '30')).toBeNull();
  });

  test('none in a right chain, in one without numbers and in an empty one', () => {
    expect(firstWrongStep(teacher, teacher)).toBeNull();
    expect(firstWrongStep(student('Add both.', '5'), teacher)).toBeNull();
    expect(firstWrongStep(student(''), '72')).toBeNull();
  });
});

describe('the category', () => {
  const categoryOf = (chain: ReturnType<typeof student>, more: { truncated?: boolean; text?: string } = {}) =>
    failureCategory({ chain, text: renderChain(chain), gold: '72', truncated: false, teacher, ...more });

  test.each([
    ['arithmetic slip', student('48 / 2 = 24', '48 + 24 = 74', '74')],
    ['missing step', student('48 / 2 = 24', '24')],
    ['missing step', student('Halve 48.', 'Add both months.', '70')],
    ['wrong operation', student('48 * 2 = 96', '48 + 96 = 144', '144')],
    ['wrong operation', student('48 / 2 = 24', 'So she sold 26 in all.', '26')],
    ['wrong operation', student('48 / 2 = 24', '48 + 24 = 72', 'The answer is not 72.', '48')],
    ['no answer', student('48 / 2 = 24', '48 + 24 = 72', '')],
  ])('%s: %j', (category, chain) => expect(categoryOf(chain)).toBe(category));

  test('a budget that was hit comes first', () => {
    expect(categoryOf(student('48 + 24 = 74', ''), { truncated: true })).toBe('truncated');
  });

  test('without a teacher a true computation is a wrong operation', () => {
    const chain = student('48 / 2 = 24', '24');
    const common = { chain, text: renderChain(chain), gold: '72', truncated: false };
    expect(failureCategory(common)).toBe('wrong operation');
  });
});
