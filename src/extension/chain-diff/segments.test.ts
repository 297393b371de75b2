import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firstWrongStep } from '../../chain/faults';
import { packageRoot } from '../../paths';
import { segmentText, sentenceStarts } from './segments';

const shown = (text: string) =>
  segmentText(text).segments.map(({ kind, step, start, end }) => [
    step === undefined ? kind : `step ${step}`,
    text.slice(start, end),
  ]);

describe('segmentText', () => {
  it('finds thinking, labelled steps and the answer', () => {
    expect(shown('Thinking: We add.\nStep 1: First, Ali has 4.\nStep 2: 4 + 2 = 6.\nAnswer: 6')).toEqual([
      ['thinking', 'Thinking: We add.\n'],
      ['step 0', 'Step 1: First, Ali has 4.\n'],
      ['step 1', 'Step 2: 4 + 2 = 6.\n'],
      ['answer', 'Answer: 6'],
    ]);
  });

  it('does not take a sentence of the thinking for a step that says the same', () => {
    expect(shown('Thinking: Ali has 4.\nStep 1: Ali has 4.\nAnswer: 4').map(([kind]) => kind)).toEqual([
      'thinking',
      'step 0',
      'answer',
    ]);
  });

  it('finds an answer on the last step’s own line, and steps of plain prose', () => {
    expect(shown('Step 1: 2 + 2 = 4. Answer: 4').at(-1)).toEqual(['answer', 'Answer: 4']);
    const prose =
      'Ali buys 4 apples and then 2 more, so 4 + 2 = 6 apples.\nHmm.\nHe eats 1, so 6 - 1 = 5. The answer is 5.';
    expect(
      shown(prose)
        .map(([, text]) => text)
        .join(''),
    ).toBe(prose);
    expect(shown(prose).at(-1)).toEqual(['answer', 'The answer is 5.']);
  });

  it('places a fault at its position in the text', () => {
    const text = 'Thinking: Let us see.\nStep 1: He has 12.\nStep 2: So\n12 x 3 = 38 pens.\nAnswer: 38';
    const { chain, place } = segmentText(text);
    const { start, end } = place(firstWrongStep(chain)!)!;
    expect(text.slice(start, end)).toBe('12 x 3 = 38');
  });

  it('takes any text', () => {
    for (const text of [
      '',
      ' ',
      '\n',
      '####',
      'Answer:',
      'Step 1:',
      '<think>',
      '12',
      'Step 1: \nStep 2: a\nAnswer: \n',
    ]) {
      const { segments } = segmentText(text);
      expect(segments.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
    }
  });

  it('finds the starts of sentences', () => {
    const text = 'Step 1: A b c. D e f. G';
    expect(sentenceStarts(text, { start: 0, end: text.length }).map((at) => text[at])).toEqual(['D', 'G']);
  });
});

const bridge = join(packageRoot(), '../shared/data/bridge/stage3_error_samples.json');
let rows: { teacher_cot: string; response: string }[] = [];
try {
  // Every fourth: all of them take a minute on a busy machine.
  rows = JSON.parse(readFileSync(bridge, 'utf8')).filter((_: unknown, i: number) => i % 4 === 0);
} catch {
  console.warn(`skipped: there is no ${bridge}`);
}

describe.runIf(rows.length > 0)('segmentText on the chains of BRIDGE', () => {
  it('covers each text, finds every step, and places every fault in its step', () => {
    let steps = 0;
    let lost = 0;
    for (const { teacher_cot, response } of rows) {
      for (const text of [teacher_cot, response]) {
        const { chain, segments, place } = segmentText(text);
        expect(segments.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
        steps += chain.steps.length;
        lost += chain.steps.length - segments.filter(({ kind }) => kind === 'step').length;
        const fault = firstWrongStep(chain, '0');
        const segment = segments.find(({ step }) => step === fault?.step);
        if (!fault || !segment) continue;
        const { start, end } = place(fault)!;
        expect(start).toBeGreaterThanOrEqual(segment.start);
        expect(end).toBeLessThanOrEqual(segment.end);
        const wrong = chain.steps[fault.step].slice(fault.start, fault.end);
        expect(text.slice(start, end).replace(/\s/g, '')).toBe(wrong.replace(/\s/g, ''));
      }
    }
    expect(steps).toBeGreaterThan(1000);
    expect(lost).toBe(0);
  });
});
