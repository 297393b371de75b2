import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignChains, alignMany } from './rows';
import { chainOf } from './testing/chains';

const teacher = chainOf(
  'teacher',
  'Thinking: sum it up\nStep 1: Ann has 6 boxes of 4 pens so 24 pens\nStep 2: She takes 5 pens so 19 remain\nAnswer: 19',
);
const student = chainOf(
  'student',
  'Step 1: We begin\nStep 2: Ann has 6 boxes of 4 pens so 26 pens\nStep 3: Then she takes 5 pens so 21 remain\nAnswer: 21',
);
const rewritten = chainOf('rewritten', 'Step 1: She takes 5 of 24 pens so 19 remain\nAnswer: 19');

const shown = (chains: Parameters<typeof alignChains>[0]) =>
  alignChains(chains).map(({ kind, number, led, cells }) => [
    kind,
    number,
    led,
    ...cells.map((cell, c) => cell && chains[c].segments[cell.segment].number),
  ]);

describe('alignChains', () => {
  it('aligns equal parts, with gaps where a chain has nothing', () => {
    expect(shown([teacher, student, rewritten])).toEqual([
      ['thinking', undefined, true, undefined, null, null],
      ['step', 1, false, null, 1, null],
      ['step', 1, true, 1, 2, null],
      ['step', 2, true, 2, 3, 1],
      ['answer', undefined, true, undefined, undefined, undefined],
    ]);
  });

  it('accepts one chain, and none', () => {
    expect(shown([student]).map(([kind]) => kind)).toEqual(['step', 'step', 'step', 'answer']);
    expect(alignChains([])).toEqual([]);
  });

  it('lays a long step out by sentences, in one group, without a gap opposite a sentence of only one', () => {
    const long = (n: number, end: string) =>
      chainOf(
        'teacher',
        `Step 1: ${Array.from({ length: 12 }, (_, i) => `Now we add ${i * n} to it.`).join(' ')} ${end}`,
      );
    const rows = alignChains([long(1, 'So 7.'), long(1, 'Or 8.')]);
    expect(rows.length).toBeGreaterThan(10);
    expect(new Set(rows.map(({ group }) => group)).size).toBe(1);
    expect(rows.every(({ cells }) => cells[0] && cells[1])).toBe(true);
    expect(rows[0].cells[0]!.body).toBeGreaterThan(rows[0].cells[0]!.from);
    expect(rows[1].cells[0]!.body).toBe(rows[1].cells[0]!.from);
  });

  it('cuts a sentence that does not end', () => {
    const endless = chainOf('student', `Step 1: ${Array.from({ length: 1000 }, (_, i) => `w${i}`).join(' ')}`);
    const rows = alignChains([endless]);
    expect(Math.max(...rows.map(({ cells }) => cells[0]!.to - cells[0]!.from))).toBeLessThanOrEqual(160);
  });

  it('shows every token of every chain once and in order', () => {
    const sentence = fc.array(fc.constantFrom('add', '4', '5', 'pens', 'so', '.', '9'), {
      minLength: 1,
      maxLength: 130,
    });
    const chain = fc
      .array(sentence, { maxLength: 6 })
      .map((steps) =>
        chainOf(
          'student',
          ['Thinking', ...steps.map((words, i) => `Step ${i + 1}: ${words.join(' ')}`), 'Answer: 9'].join('\n'),
        ),
      );
    fc.assert(
      fc.property(fc.array(chain, { minLength: 1, maxLength: 3 }), (chains) => {
        const rows = alignChains(chains);
        chains.forEach(({ texts }, c) => {
          const tokens = rows.flatMap(({ cells }) =>
            cells[c] ? Array.from({ length: cells[c].to - cells[c].from }, (_, i) => cells[c]!.from + i) : [],
          );
          expect(tokens).toEqual(texts.map((_, i) => i));
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe('alignMany', () => {
  it('aligns what two lists insert at one place with each other', () => {
    const rows = alignMany([
      ['first apples', 'last pears'],
      ['first apples', 'middle 42', 'last pears'],
      ['middle 42', 'last pears'],
    ]);
    expect(rows).toEqual([
      [0, 0, null],
      [null, 1, 0],
      [1, 2, 1],
    ]);
  });
});
