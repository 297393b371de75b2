import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderChain } from '../chain/prompts';
import { splitChain } from '../chain/split';
import { type PresetName, preset } from '../config/presets';
import { type RewardFile, rewardSchema } from '../config/reward';
import { packageRoot } from '../paths';
import { registry } from '../reward-components';
import { type RewardInput, scoreCompletion, scoreGroup } from './compose';

const config = (...components: RewardFile['components']) => rewardSchema().parse({ components });
const teacher = splitChain('Step 1: a is 2\nStep 2: b is 3\nStep 3: 2 + 3 = 5\nAnswer: 5');
const completion = (text: string, length = 50, finished = true): RewardInput => ({
  problem: { question: 'What is 2 + 3?', answer: '5', teacher, teacherTokens: 100 },
  completion: { text, tokens: Array.from({ length }, (_, i) => i), finished },
});
const right = completion('Step 1: 2 + 3 = 5\nAnswer: 5');
const wrong = completion('Step 1: 2 + 3 = 6\nAnswer: 6');

describe('a composed reward', () => {
  it('is the sum of its weighted parts', () => {
    const reward = config(
      { use: 'correctness', weight: 2 },
      { use: 'stepValidity', weight: 0.5 },
      { use: 'correctness', name: 'penalty', weight: -1, options: { right: 0, wrong: 1 } },
    );
    expect(scoreCompletion(reward, right)).toEqual({
      total: 2.5,
      parts: { correctness: 2, stepValidity: 0.5, penalty: -0 },
      failures: {},
    });
    expect(scoreCompletion(reward, wrong)).toMatchObject({
      total: -1,
      parts: { correctness: 0, stepValidity: 0, penalty: -1 },
    });
  });

  it('leaves out what does not apply, and is unscored when nothing does', () => {
    const bare = completion('Answer: 5');
    expect(scoreCompletion(config({ use: 'correctness' }, { use: 'stepValidity' }), bare)).toMatchObject({
      total: 1,
      parts: { correctness: 1, stepValidity: null },
    });
    expect(scoreCompletion(config({ use: 'stepValidity' }), bare).total).toBeNull();
  });

  it('opens a gate only above 0', () => {
    const reward = config(
      { use: 'correctness' },
      { use: 'format', options: { malformed: 0 } },
      { use: 'repetition', name: 'gated', gate: ['correctness', 'format'], options: { n: 1 } },
    );
    const parts = (input: RewardInput) => scoreCompletion(reward, input).parts.gated;
    expect(parts(right)).toBeCloseTo(0);
    expect(parts(wrong)).toBeNull();
    expect(parts(completion('Answer: 5'))).toBeNull();
  });

  it('gates by the value, not by its weight, and through closed gates', () => {
    const reward = config(
      { use: 'brevity', gate: 'format', options: { stepBonus: 0 } },
      { use: 'format', weight: 0, gate: 'correctness' },
      { use: 'correctness', weight: -1 },
    );
    expect(scoreCompletion(reward, right).parts).toEqual({ brevity: 0.5, format: 0, correctness: -1 });
    expect(scoreCompletion(reward, wrong).parts).toEqual({ brevity: null, format: null, correctness: -0 });
  });

  it('gates brevity by the right answer even without a correctness component', () => {
    const reward = config({ use: 'brevity', options: { stepBonus: 0 } });
    expect(scoreCompletion(reward, right).total).toBe(0.5);
    expect(scoreCompletion(reward, wrong).total).toBeNull();
    expect(scoreCompletion(config({ use: 'brevity', gate: [], options: { stepBonus: 0 } }), wrong).total).toBe(0.5);
  });

  it('treats a failing component as not applicable, with a warning', () => {
    const broken = {
      ...registry,
      format: () => {
        throw new Error('no luck');
      },
      repetition: () => Number.NaN,
    };
    const reward = config({ use: 'correctness' }, { use: 'format' }, { use: 'repetition' });
    expect(scoreCompletion(reward, right, broken)).toEqual({
      total: 1,
      parts: { correctness: 1, format: null, repetition: null },
      failures: { format: 'no luck', repetition: 'the value is NaN, not a number from -1000000000 to 1000000000' },
    });
  });

  it('counts no value that could overflow in a sum', () => {
    const reward = config(
      { use: 'correctness' },
      { use: 'phrases', weight: 1e6, options: { texts: ['x'], most: 1e15 } },
    );
    const [, phrases] = reward.components;
    Object.assign(phrases.options as object, { each: 1e9 });
    const { total, failures } = scoreCompletion(reward, completion('x x Answer: 5'));
    expect(total).toBe(1);
    expect(failures.phrases).toBe('the value is 2000000000, not a number from -1000000000 to 1000000000');
  });

  it('shows each completion its group', () => {
    const reward = config({ use: 'kimi' });
    const lengths = [100, 150, 200].map((length) => completion('Answer: 5', length));
    expect(scoreGroup(reward, lengths).map(({ total }) => total)).toEqual([0.5, 0, -0.5]);
    expect(lengths[0].group).toBeUndefined(); // the inputs stay as they are
  });
});

describe('the default preset', () => {
  const total = (input: RewardInput) => scoreCompletion(preset('default'), input).total;

  it('puts the answer first, then the form, then the length', () => {
    expect(total(wrong)).toBe(-1);
    expect(total(completion('Step 1: 2 + 3 = 5\nAnswer: 5', 50, false))).toBe(-1); // cut off
    expect(total(completion('2 + 3 = 5.\nAnswer: 5', 3))).toBe(0);
    expect(total(completion('Step 1: 2 + 3 = 5\nAnswer: 5', 100))).toBe(2);
    // Right, but not by its steps: a bare answer, a copied one, a false equation.
    expect(total(completion('Answer: 5', 3))).toBe(-1);
    expect(total(completion('Step 1: It is 5.\nAnswer: 5', 3))).toBe(-1);
    expect(total(completion('Step 1: 2 + 3 = 6\nAnswer: 5', 3))).toBe(-1);
    expect(total(right)).toBeCloseTo(2 + 0.5 + 0.1 * 1.5);
    // Very long and right is better than any malformed one.
    expect(total(completion(right.completion.text, 1000))).toBe(1);
  });
});

const bridgeFile = join(packageRoot(), '../shared/data/bridge/stage3_error_samples.json');

describe("the presets on BRIDGE's recorded failures", () => {
  it.skipIf(!existsSync(bridgeFile))('568 cases (needs ../shared/data/bridge)', () => {
    const rows: {
      question: string;
      gold_answer: string;
      response: string;
      teacher_cot: string;
      token_count: number;
    }[] = JSON.parse(readFileSync(bridgeFile, 'utf8'));
    const input = (row: (typeof rows)[number], text: string): RewardInput => ({
      problem: {
        question: row.question,
        answer: row.gold_answer,
        teacher: splitChain(row.teacher_cot),
        teacherTokens: 400,
      },
      completion: {
        text,
        tokens: Array.from({ length: row.token_count }, (_, i) => i),
        finished: row.token_count < 400,
      },
    });
    const totals = (name: PresetName, text: (row: (typeof rows)[number]) => string) =>
      rows.map((row) => scoreCompletion(preset(name), input(row, text(row))).total!);
    const tally = (values: number[], test: (value: number) => boolean) => values.filter(test).length;

    // The release compared texts: 10 of these answers are right as numbers, and one more ends in
    // "45 + 135 + 270 = 450".
    const stage3 = totals('bridge-stage3', ({ response }) => response);
    expect(tally(stage3, (value) => value > -2)).toBe(11);
    // Copying a teacher that is right earns exactly 1.
    const copies = totals('bridge-stage3', ({ teacher_cot }) => renderChain(splitChain(teacher_cot)));
    expect(tally(copies, (value) => value === 1)).toBeGreaterThan(560);
    const safe = totals('default', ({ response }) => response);
    expect(tally(safe, (value) => value === -1)).toBeGreaterThan(550);
    expect(safe.every(Number.isFinite)).toBe(true);
  });
});
