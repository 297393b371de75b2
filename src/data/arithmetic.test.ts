import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arithmeticDefaults, arithmeticItem, arithmeticItems, splitOf } from './arithmetic';
import { type StoryProblem, work } from './arithmetic-story';

const splits = ['train', 'validation', 'test', 'pretrain'] as const;
const numbers = (text: string) => text.match(/\d+/g)?.map(Number) ?? [];

describe('arithmetic stories', () => {
  it('are a pure function of options, split and index', () => {
    const items = arithmeticItems(arithmeticDefaults, 'train', 20);
    expect(arithmeticItem(arithmeticDefaults, 'train', 13)).toEqual(items[13]);
    expect(arithmeticItems(arithmeticDefaults, 'train', 5, 10)).toEqual(items.slice(10, 15));
    expect(arithmeticItem({ ...arithmeticDefaults, seed: 2 }, 'train', 13).question).not.toBe(items[13].question);
  });

  it('share no numbers between splits', () => {
    // The numbers of the question, in order, and the kinds of events name a story, whatever its words.
    const owner = new Map<string, string>();
    for (const split of splits) {
      for (const { question, meta } of arithmeticItems(arithmeticDefaults, split, 500)) {
        const key = `${meta.operations} ${numbers(question)}`;
        expect(owner.get(key) ?? split).toBe(split);
        owner.set(key, split);
      }
    }
  });

  it('split by numbers alone', () => {
    const problem: StoryProblem = { start: 12, events: [{ kind: 'gain', a: 7, b: 0 }] };
    expect(splitOf(problem)).toBe(splitOf(structuredClone(problem)));
    const found = new Set(Array.from({ length: 100 }, (_, start) => splitOf({ ...problem, start })));
    expect([...found].sort()).toEqual([...splits].sort());
  });

  it('keep to the bounds, and every line of the chain is right', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer({ min: 0, max: 1e6 }),
          operations: fc.constantFrom<[number, number]>([1, 1], [2, 5], [6, 8]),
          maxValue: fc.integer({ min: 40, max: 500 }),
          verbosity: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        fc.constantFrom(...splits),
        fc.nat(5000),
        (options, split, index) => {
          const { chain, answer, meta, question } = arithmeticItem(options, split, index);
          expect(meta.results.length).toBeGreaterThanOrEqual(options.operations[0]);
          expect(meta.results.length).toBeLessThanOrEqual(options.operations[1]);
          expect(Math.max(...meta.results)).toBeLessThanOrEqual(options.maxValue);
          expect(String(meta.results.at(-1))).toBe(answer);
          expect(question).toMatch(/^[A-Z].*\?$/);
          const lines = chain.split('\n');
          expect(lines[0]).toMatch(/^Thinking: /);
          expect(lines.at(-1)).toBe(`Answer: ${answer}`);
          lines.slice(1, -1).forEach((line, i) => {
            expect(line.startsWith(`Step ${i + 1}: `)).toBe(true);
          });
          const equations = [...chain.matchAll(/(\d+) ([-+*/]) (\d+) = (\d+)/g)];
          expect(equations.length).toBeGreaterThanOrEqual(meta.results.length);
          for (const [, left, operator, right, result] of equations) {
            const [a, b] = [Number(left), Number(right)];
            expect({ '+': a + b, '-': a - b, '*': a * b, '/': a / b }[operator]).toBe(Number(result));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are long for a wordy teacher and short for a terse one', () => {
    const length = (verbosity: number) =>
      arithmeticItems({ ...arithmeticDefaults, verbosity }, 'train', 100).reduce(
        (sum, { chain }) => sum + chain.length,
        0,
      );
    expect(length(1)).toBeGreaterThan(2.5 * length(0));
  });

  it('name a bad option', () => {
    expect(() => arithmeticItem({ ...arithmeticDefaults, operations: [3, 2] }, 'test', 0)).toThrow(
      /operations \[3, 2\]/,
    );
    expect(() => arithmeticItem({ ...arithmeticDefaults, maxValue: 5 }, 'test', 0)).toThrow(/maxValue 5/);
    expect(() => arithmeticItem({ ...arithmeticDefaults, verbosity: 2 }, 'test', 0)).toThrow(/verbosity 2/);
  });
});

describe('the working of a story', () => {
  it('carries a stated result on', () => {
    const problem: StoryProblem = {
      start: 10,
      events: [
        { kind: 'gainGroups', a: 2, b: 3 },
        { kind: 'halve', a: 0, b: 0 },
      ],
    };
    expect(work(problem).map(({ result }) => result)).toEqual([6, 16, 8]);
    expect(work(problem, ({ result, part }) => (part === 'group' ? 7 : result)).map(({ result }) => result)).toEqual([
      7, 17, 8,
    ]);
  });
});
