import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitChain } from '../chain/split';
import { componentSchema } from '../config/components';
import { type ComponentName, type ComponentOptions, componentSchemas, registry } from '.';
import { stage2Length, stage3Length } from './bridge';
import type { RewardInput } from './input';

/** Options of a component with its defaults. */
const optionsOf = <N extends ComponentName>(use: N, options: object = {}) =>
  componentSchema().parse({ use, options }).options as ComponentOptions<N>;
const measure = <N extends ComponentName>(use: N, input: RewardInput, options: object = {}) =>
  registry[use](input, optionsOf(use, options));

const teacher = splitChain('Thinking: hm\nStep 1: a is 2\nStep 2: b is 3\nStep 3: 2 + 3 = 5\nStep 4: so 5\nAnswer: 5');
const right = 'Step 1: 2 + 3 = 5\nAnswer: 5';
const wrong = 'Step 1: 2 + 3 = 6\nAnswer: 6';
const completion = (text: string, length = 10, finished = true): RewardInput => ({
  problem: { question: '?', answer: '5', teacher, teacherTokens: 100 },
  completion: { text, tokens: Array.from({ length }, (_, i) => i), finished },
});
const inGroup = (...members: RewardInput[]) => {
  const group: RewardInput[] = members.map((member) => ({ ...member }));
  for (const member of group) member.group = group;
  return group;
};

describe('correctness', () => {
  it('compares as numbers, strictly', () => {
    expect(measure('correctness', completion('Answer: 5.00'))).toBe(1);
    expect(measure('correctness', completion('#### 5'), { right: 3 })).toBe(3);
    expect(measure('correctness', completion(wrong), { wrong: -1 })).toBe(-1);
    expect(measure('correctness', completion('it is 5'))).toBe(0);
    expect(measure('correctness', completion('it is 5'), { extraction: 'lenient' })).toBe(1);
  });

  it('counts a truncated answer as wrong unless configured otherwise', () => {
    expect(measure('correctness', completion(right, 10, false))).toBe(0);
    expect(measure('correctness', completion(right, 10, false), { acceptTruncated: true })).toBe(1);
  });

  it('does not apply without a reference answer', () => {
    const input = completion(right);
    expect(measure('correctness', { ...input, problem: { ...input.problem, answer: ' ' } })).toBeNull();
  });
});

describe('format', () => {
  it.each([
    [right, 1],
    ['Thinking: well\nStep 1: a\nStep 2: b\nAnswer: 5', 1],
    ['Step 1: a\nStep 2: b\n\\boxed{5}', 1],
    ['Answer: 5', -1],
    ['Step 1: a', -1],
    ['Step 1: a\nStep 3: b\nAnswer: 5', -1],
    ['Step 2: a\nStep 1: b\nAnswer: 5', -1],
    ['Answer: 5\nStep 1: a', -1],
    ['Step 1: a\nAnswer:', -1],
  ])('%j is %d', (text, value) => {
    expect(measure('format', completion(text))).toBe(value);
  });

  it('asks only for what its options ask', () => {
    expect(measure('format', completion('Answer: 5'), { steps: false })).toBe(1);
    expect(measure('format', completion('Step 1: a'), { answer: false, valid: 0.5 })).toBe(0.5);
  });
});

describe('brevity', () => {
  const options = { stepBonus: 0 };
  it.each([
    [50, 0.5],
    [100, 0],
    [125, -0.4],
    [500, -1],
  ])('of %d tokens against 100 is %d', (length, value) => {
    expect(measure('brevity', completion(right, length), options)).toBeCloseTo(value, 12);
  });

  it('is continuous and falls with length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (length) => {
        const at = (n: number) => measure('brevity', completion(right, n))!;
        // 4 teacher steps, 3 saved: a token is worth at most over/100 or (under + stepBonus * 4)/100.
        expect(at(length) - at(length + 1)).toBeGreaterThanOrEqual(0);
        expect(at(length) - at(length + 1)).toBeLessThan(0.0161);
      }),
    );
  });

  it('pays for saved steps only as far as the tokens fell', () => {
    const fewSteps = (length: number) =>
      measure('brevity', completion(right, length), { under: 0, over: 0, stepBonus: 0.3 });
    expect(fewSteps(25)).toBeCloseTo(0.9); // 3 of 4 steps saved, tokens too
    expect(fewSteps(50)).toBeCloseTo(0.6); // tokens fell by 2 steps' worth only
    expect(fewSteps(100)).toBe(0); // labels dropped, text as long as before
    expect(fewSteps(150)).toBe(0);
    const allSteps = 'Step 1: a\nStep 2: b\nStep 3: c\nStep 4: d\nAnswer: 5';
    expect(measure('brevity', completion(allSteps, 25), { under: 0, stepBonus: 0.3 })).toBe(0);
  });

  it('does not apply without a teacher', () => {
    expect(measure('brevity', { ...completion(right), problem: { question: '?', answer: '5' } })).toBeNull();
  });
});

describe('stepValidity', () => {
  it('is the share of true equations, if there are any', () => {
    expect(measure('stepValidity', completion('Step 1: 2 + 3 = 5\nStep 2: 5 * 2 = 11\nAnswer: 11'))).toBe(0.5);
    expect(measure('stepValidity', completion('Answer: 11'))).toBeNull();
  });
});

describe('repetition', () => {
  const repeat = (tokens: number[], options = {}) =>
    measure('repetition', { ...completion(right), completion: { text: '', tokens, finished: true } }, options);
  it('is the share of repeated n-grams of tokens', () => {
    expect(repeat([1, 2, 3, 4])).toBeCloseTo(0);
    expect(repeat([1, 2, 1, 2, 1, 2])).toBeCloseTo(-0.5); // 121 212 121 212: 2 of 4 distinct
    expect(repeat([7, 7, 7, 7, 7, 7, 7], { penalty: 2 })).toBeCloseTo(-2 * (1 - 1 / 5));
    expect(repeat([7, 7])).toBe(0);
    expect(repeat([11, 1, 1, 11], { n: 2 })).toBeCloseTo(0); // ids are not run together
  });
});

describe('phrases', () => {
  it('pays for each occurrence, up to the most', () => {
    const text = 'Wait. Step 1: 2 + 3 = 5, wait, alternatively (5).</think>';
    expect(measure('phrases', completion(text), { texts: ['wait', 'Alternatively'] })).toBeCloseTo(-0.3);
    expect(measure('phrases', completion(text), { texts: ['Wait', 'wait'], most: 1 })).toBeCloseTo(-0.1);
    expect(measure('phrases', completion(text), { texts: ['</think>'], each: 1, most: 1 })).toBe(1);
    expect(measure('phrases', completion(right), { texts: ['(', 'wait'] })).toBeCloseTo(0);
    expect(() => optionsOf('phrases', { texts: [''] })).toThrow();
  });
});

describe('the worked values of the length rewards in the literature', () => {
  it('soft overlong (DAPO, eq. 13)', () => {
    const at = (length: number, buffer = 20) =>
      measure('softOverlong', completion(right, length), { maxTokens: 100, buffer });
    expect(at(80)).toBe(0);
    expect(at(90)).toBe(-0.5);
    expect(at(100)).toBe(-1);
    expect(at(140)).toBe(-1);
    expect([at(100, 0), at(101, 0)]).toEqual([0, -1]); // no division by zero
  });

  it('cosine', () => {
    const at = (text: string, length: number) => measure('cosine', completion(text, length), { maxTokens: 200 });
    expect([at(right, 0), at(right, 100), at(right, 200), at(right, 300)]).toEqual([1, 0.75, 0.5, 0.5]);
    expect([at(wrong, 0), at(wrong, 100), at(wrong, 200), at(wrong, 300)]).toEqual([-1, -0.75, -0.5, -0.5]);
  });

  it('Kimi k1.5', () => {
    const all = inGroup(completion(right, 100), completion(right, 150), completion(right, 200));
    expect(all.map((input) => measure('kimi', input))).toEqual([0.5, 0, -0.5]);
    const mixed = inGroup(completion(wrong, 100), completion(right, 150), completion(wrong, 200));
    expect(mixed.map((input) => measure('kimi', input))).toEqual([0, 0, -0.5]);
    const equal = inGroup(completion(right, 100), completion(wrong, 100));
    expect(equal.map((input) => measure('kimi', input))).toEqual([0, 0]);
    expect(measure('kimi', completion(right, 100))).toBe(0);
  });

  it('L1, exact and max', () => {
    const at = (text: string, length: number, options: object) => measure('l1', completion(text, length), options);
    expect(at(right, 1200, { target: 1000 })).toBeCloseTo(0.94, 12);
    expect(at(right, 1200, { target: 1000, mode: 'max' })).toBeCloseTo(0.44, 12);
    expect(at(wrong, 1200, { target: 1000 })).toBeCloseTo(-0.06, 12);
    expect(at(wrong, 1200, { target: 1000, mode: 'max' })).toBe(0);
    expect(at(right, 10, { target: 4000, mode: 'max' })).toBe(1);
    expect(at(right, 90, {})).toBeCloseTo(1 - 10 * 0.0003, 12); // the teacher's 100
    expect(measure('l1', { ...completion(right), problem: { question: '?', answer: '5' } })).toBeNull();
  });

  it('GRPO-LEAD', () => {
    const group = inGroup(
      completion(right, 100),
      completion(right, 200),
      completion(right, 300),
      completion(wrong, 9000),
    );
    const values = group.map((input) => measure('lead', input)!);
    expect(values.map((value) => value.toFixed(4))).toEqual(['1.0513', '1.0000', '0.9512', '-1.0000']);
    expect(measure('lead', completion(right))).toBe(1);
  });
});

describe("the rewards of BRIDGE's release", () => {
  it.each([
    [5, 3, 100, 1.64],
    [5, 5, 160, 0.96],
    [5, 5, 175, 0.93],
    [5, 5, 176, 0.99],
    [5, 5, 200, 0.75],
    [5, 5, 400, 0],
  ])('Stage 2: %d teacher steps, %d steps, %d words -> %d', (teacherSteps, steps, words, value) => {
    expect(1 + stage2Length({ teacherSteps, steps, words }, optionsOf('bridgeStage2'))).toBeCloseTo(value, 12);
  });

  it.each([
    [30, 1.8],
    [80, 1.6],
    [130, 1.25],
    [180, 1],
    [300, 0.75],
    [500, 0.5],
  ])('Stage 3: %d words for the 200 of the teacher -> %d', (words, value) => {
    expect(1 + stage3Length(words / 200, optionsOf('bridgeStage3'))).toBeCloseTo(value, 12);
  });

  it('bounds: -2 .. 2.1 and -2, -1, 0.5 .. 1.8', () => {
    const best = stage2Length({ teacherSteps: 20, steps: 1, words: 1 }, optionsOf('bridgeStage2'));
    expect(1 + best).toBeCloseTo(2.1, 12);
    expect(1 + stage3Length(0, optionsOf('bridgeStage3'))).toBeCloseTo(1.8, 12);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 50, noNaN: true }), (ratio) => {
        const value = stage3Length(ratio, optionsOf('bridgeStage3'));
        expect(value).toBeGreaterThanOrEqual(-0.5);
        expect(value - stage3Length(ratio + 1e-9, optionsOf('bridgeStage3'))).toBeLessThan(1e-6); // continuous
      }),
    );
  });

  it.each(['bridgeStage2', 'bridgeStage3'] as const)('%s puts answer before form before length', (use) => {
    expect(measure(use, completion(wrong))).toBe(-2);
    expect(measure(use, completion('It must be 5'))).toBe(-1);
    expect(measure(use, completion('Answer: 5'))).toBe(-1);
    expect(measure(use, completion('Step 1: so 5'))).toBe(-1);
    expect(measure(use, completion(right))).toBeGreaterThan(1);
    const input = completion(right);
    expect(measure(use, { ...input, problem: { question: '?', answer: '5' } })).toBe(1);
  });

  it('counts words and steps of the texts themselves', () => {
    // 9 words, 4 * 35 = 140 allowed, 112 the knee: 0.3 * 3 + 0.001 * 103
    expect(measure('bridgeStage2', completion(right))).toBeCloseTo(1 + 0.9 + 0.103, 12);
    // 9 words against the teacher's 25
    expect(measure('bridgeStage3', completion(right))).toBeCloseTo(
      1 + 0.5 + 0.3 * Math.min((0.5 - 9 / 25) / 0.3, 1),
      12,
    );
  });
});

it('docs/rewards.md lists every component with its options', () => {
  const docs = readFileSync('docs/rewards.md', 'utf8');
  for (const schema of componentSchemas()) {
    const use = schema.shape.use.options[0];
    const row = docs.split('\n').find((line) => line.startsWith('|') && line.split('|')[1].includes(`\`${use}\``));
    expect(row, use).toBeDefined();
    const options = use.startsWith('bridge') ? [] : Object.keys(schema.shape.options.unwrap().shape);
    for (const option of options) expect(row).toContain(`\`${option}\``);
  }
});
