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
      message: "departs from the teacher here: 96 does not occur in the teacher's chain",
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

  describe('where the student leaves the path', () => {
    const question =
      'Ann packs 6 boxes of 40 pens. She gives 3 boxes to each of her two sisters. How many pens does she keep?';
    const known = splitChain(
      'Step 1: All: 6 * 40 = 240 pens.\nStep 2: The sisters get 2 * 3 = 6 boxes, 6 * 40 = 240 pens.\nStep 3: 240 - 240 = 0.\nAnswer: 0',
    );
    const found = (chain: ReturnType<typeof student>, of = known, asked: string | undefined = question) => {
      const fault = firstWrongStep(chain, of, asked);
      return fault && [fault.step, chain.steps[fault.step].slice(fault.start, fault.end)];
    };

    test('a number that was said in words before it was computed with is where it was said', () => {
      const chain = student('A box has 40 pens.', 'She gives away 5 boxes.', '5 * 40 = 200 pens.', '200');
      expect(found(chain)).toEqual([1, '5']);
      expect(firstWrongStep(chain, known)).toMatchObject({ step: 2 });
    });

    test('a result is traced to the one among several that it comes from', () => {
      const chain = student('All: 6 * 40 = 240. Given: 3 + 2 = 5 boxes.', '5 * 40 = 200.', '200');
      expect(found(chain)).toEqual([0, '3 + 2 = 5']);
    });

    test('numbers of the question are not faults, even in words', () => {
      expect(found(student('There are 2 sisters.', '2 * 40 = 80 pens.', '80'))).toEqual([1, '2 * 40 = 80']);
    });

    test('a conversion of units is no departure', () => {
      const teacher = splitChain('Step 1: 2 * 30 = 60 kilograms.\nStep 2: 60 / 4 = 15 days.\nAnswer: 15');
      const chain = student('60 kilograms are 60 * 1000 = 60000 grams.', 'She eats 2 * 750 = 1500 grams.', '1500');
      expect(found(chain, teacher, 'Two sacks of 30 kilograms.')).toEqual([1, '2 * 750 = 1500']);
    });

    test('steps before the right answer are not faults, but its later misuse is', () => {
      const teacher = splitChain('Step 1: 4 * 10 = 40.\nStep 2: 40 + 15 = 55.\nAnswer: 55');
      const chain = student('4 * 20 = 80.', '4 * 10 = 40.', '40 + 15 = 55.', '80 - 55 = 25.', '25');
      expect(found(chain, teacher, 'Four for 20, less 5 each.')).toEqual([3, '80 - 55 = 25']);
    });

    test('a number that the teacher says without computing it is its result, unless the question gives it', () => {
      const teacher = splitChain('Step 1: Monday 40 pens, Tuesday 80 pens.\nStep 2: 40 + 80 = 120.\nAnswer: 120');
      const chain = student('Tuesday: 2 * 40 = 80.', '80 * 40 = 3200.', '3200');
      expect(found(chain, teacher, '40 on Monday, on Tuesday as many again.')).toEqual([1, '80 * 40 = 3200']);
      expect(found(chain, teacher, '40 and 80.')).toEqual([0, '2 * 40 = 80']);
    });
  });

  test('reports a number of the question that the teacher uses but never computes', () => {
    const chain = student('24 * 2 = 48', '48');
    expect(firstWrongStep(chain, teacher, 'In April 48 clips.')!.message).toBe(
      'departs from the teacher here: the teacher never arrives at 48',
    );
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
