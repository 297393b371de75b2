import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { checkEquations } from '../arithmetic/calculator';
import { packageRoot } from '../paths';
import { failureCategories, failureCategory, firstWrongStep } from './faults';
import { groundedness } from './grounded';
import { exactMatch, flexibleExtract, strictMatch } from './lm-eval-filters';
import { renderChain } from './prompts';
import { splitChain } from './split';

const data = join(packageRoot(), '..', 'shared', 'data');
const bridge = join(data, 'bridge', 'stage3_error_samples.json');
const gsm8k = join(data, 'gsm8k', 'train.jsonl');
if (!existsSync(bridge) || !existsSync(gsm8k)) console.warn(`Skipped: no BRIDGE and GSM8K files under ${data}`);

interface BridgeRow {
  question: string;
  gold_answer: string;
  response: string;
  teacher_cot: string;
  token_count: number;
}

describe.skipIf(!existsSync(bridge))("BRIDGE's 568 failures", () => {
  const all = existsSync(bridge) ? (JSON.parse(readFileSync(bridge, 'utf8')) as BridgeRow[]) : [];
  const teachers = all.map((row) => splitChain(row.teacher_cot));
  const students = all.map((row) => splitChain(row.response));

  test('every chain splits, and splits the same after it was rendered', () => {
    const chains = [...teachers, ...students];
    expect(chains.filter(({ steps }) => steps.length === 0)).toEqual([]);
    expect(chains.map((chain) => splitChain(renderChain(chain)))).toEqual(chains);
    expect(teachers.map(({ answer }) => answer)).toEqual(all.map((row) => row.gold_answer));
    const mean = teachers.reduce((sum, { steps }) => sum + steps.length, 0) / all.length;
    expect(mean).toBeCloseTo(5.15, 1);
  });

  test('the eleven right answers are found, numerically and by the last expression', () => {
    const right = all.filter((row) => {
      const answer = extractAnswer(row.response);
      return answer && sameAnswer(answer.value, row.gold_answer);
    });
    expect(right).toHaveLength(11);
  });

  test("the calculator finds slips of the student and hardly any in the teacher's right chains", () => {
    const flagged = (texts: string[]) =>
      texts.filter((text) => checkEquations(text).some(({ correct }) => !correct)).length;
    expect(flagged(all.map((row) => row.teacher_cot))).toBeLessThan(0.015 * all.length);
    expect(flagged(all.map((row) => row.response))).toBeGreaterThan(15);
  });

  test('each failure has a category, and half of them a first wrong step', () => {
    const counts: Record<string, number> = Object.fromEntries(failureCategories.map((category) => [category, 0]));
    let located = 0;
    const every = 4; // of the rows, to keep this quick
    for (let i = 0; i < all.length; i += every) {
      const { response: text, gold_answer: gold, token_count: tokens } = all[i];
      const [chain, teacher] = [students[i], teachers[i]];
      counts[failureCategory({ chain, text, gold, truncated: tokens >= 400, teacher })] += every;
      const fault = firstWrongStep(chain, teacher);
      if (!fault) continue;
      located += every;
      expect(chain.steps[fault.step].slice(fault.start, fault.end)).toMatch(/\d/);
    }
    expect(counts.truncated).toBeGreaterThan(100);
    expect(counts['wrong operation']).toBeGreaterThan(200);
    expect(counts['missing step']).toBeGreaterThan(80);
    expect(counts['arithmetic slip']).toBeGreaterThan(0);
    expect(located).toBeGreaterThan(250);
  });
});

describe.skipIf(!existsSync(gsm8k))('GSM8K', () => {
  const rows = existsSync(gsm8k)
    ? readFileSync(gsm8k, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { question: string; answer: string })
    : [];

  test('every gold answer is read, with commas and signs', () => {
    const gold = rows.map(({ answer }) => answer.slice(answer.lastIndexOf('#### ') + 5).replaceAll(',', ''));
    expect(rows.map(({ answer }) => extractAnswer(answer)?.value)).toEqual(gold);
    expect(rows.filter(({ answer }) => !exactMatch(strictMatch(answer), answer))).toEqual([]);
    expect(rows.filter(({ answer }) => !exactMatch(flexibleExtract(answer), answer))).toEqual([]);
    expect(gold.filter((value) => value.startsWith('-'))).toHaveLength(3);
  });

  test('right solutions are almost never reported as departing from another right chain', () => {
    const bridged = existsSync(bridge) ? (JSON.parse(readFileSync(bridge, 'utf8')) as BridgeRow[]) : [];
    const solutions = new Map(rows.map(({ question, answer }) => [question.trim(), splitChain(answer)]));
    const pairs = bridged.filter((row, i) => i % 4 === 0 && solutions.has(row.question.trim()));
    const blamed = pairs.filter(({ question, teacher_cot }) => {
      const found = firstWrongStep(solutions.get(question.trim())!, splitChain(teacher_cot), question);
      return found?.kind === 'departure';
    });
    expect(blamed.length).toBeLessThanOrEqual(0.05 * pairs.length);
  });

  test('the steps of published solutions are grounded, except for one in sixteen', () => {
    const sample = rows.filter((_, i) => i % 8 === 0);
    const refused = sample.filter(({ question, answer }) => !groundedness(question, answer).grounded);
    expect(refused.length).toBeLessThan(0.06 * sample.length);
  });

  test('the calculator agrees with 99 of 100 solutions as published', () => {
    const sample = rows.filter((_, i) => i % 8 === 0);
    const equations = sample.map(({ answer }) => checkEquations(answer));
    expect(equations.flat().length).toBeGreaterThan(3 * sample.length);
    expect(equations.filter((found) => found.some(({ correct }) => !correct)).length).toBeLessThan(
      0.01 * sample.length,
    );
  });
});
