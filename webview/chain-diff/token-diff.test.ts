import { describe, expect, it } from 'vitest';
import type { ChainView } from '../../src/protocol/chain-diff';
import { alignChains } from './rows';
import { chainOf } from './testing/chains';
import { diffCell, differencesInWords } from './token-diff';

function marked(a: string, b: string): [string[], string[]] {
  const chains = [chainOf('teacher', a), chainOf('student', b)];
  const [row] = alignChains(chains);
  const found = diffCell(chains, row, 1)!;
  const text = ({ texts }: ChainView, from: number, to: number) => texts.slice(from, to).join('').trim();
  return [
    found.differences.map(({ bFrom, bTo }) => text(chains[0], bFrom, bTo)),
    found.differences.map(({ aFrom, aTo }) => text(chains[1], aFrom, aTo)),
  ];
}

describe('diffCell', () => {
  it('marks what differs and leaves labels alone', () => {
    expect(marked('Step 1: 6 boxes of 4 pens are 24 pens', 'Step 1: 6 boxes of 4 pens are 26 pens')).toEqual([
      ['24'],
      ['26'],
    ]);
    expect(marked('Step 1: Ann has 4 pens', 'Step 2: Ann has 4 pens')[0]).toEqual([]);
  });

  it('compares numbers and words as wholes, though they share tokens', () => {
    const chains = [chainOf('teacher', 'Step 1: it is 4 now'), chainOf('student', 'Step 1: it is 4 now')];
    // "48" and "43" as digits: the first token is the same.
    for (const [chain, digit] of [
      [chains[0], '8'],
      [chains[1], '3'],
    ] as const) {
      const at = chain.texts.indexOf(' 4') + 1;
      chain.texts.splice(at, 0, digit);
      chain.ids.splice(at, 0, 90_000 + Number(digit));
      chain.segments[0].to++;
    }
    const [row] = alignChains(chains);
    const { differs, differences } = diffCell(chains, row, 1)!;
    expect(differences).toHaveLength(1);
    expect(differs.filter(Boolean)).toHaveLength(2);
  });

  it('treats a token the same with and without a leading space', () => {
    expect(marked('so ( 48 eggs )', 'so (48 eggs)')).toEqual([[], []]);
    expect(marked('so 48 = 12', 'so 48 + 12')[0]).toEqual(['=']);
  });

  it('takes few words in common between longer differences with them, but never a number', () => {
    expect(marked('every single apple of their garden', 'seventy rotten plums of another orchard')[1]).toEqual([
      'seventy rotten plums of another orchard',
    ]);
    expect(marked('every apple 12 their garden', 'rotten plums 12 another orchard')[1]).toHaveLength(2);
  });

  it('ignores punctuation, and marks missing tokens', () => {
    expect(marked('Step 1: Ann has 4 pens.', 'Step 1: Ann has 4 pens,')[0]).toEqual([]);
    const chains = [chainOf('teacher', 'Step 1: Ann has only 4 pens'), chainOf('student', 'Step 1: Ann has 4 pens')];
    const [row] = alignChains(chains);
    const { missing } = diffCell(chains, row, 1)!;
    expect([...missing.values()].map(({ from, to }) => chains[0].texts.slice(from, to))).toEqual([[' only']]);
  });

  it('leaves out the end token', () => {
    const ended = chainOf('student', 'Answer: 19');
    const chains = [
      chainOf('teacher', 'Answer: 19'),
      { ...ended, ids: [...ended.ids.slice(0, -1), 99_999], ended: true },
    ];
    expect(diffCell(chains, alignChains(chains)[0], 1)!.differences).toEqual([]);
  });

  it('describes differences in words', () => {
    const chains = [
      chainOf('teacher', 'Step 1: 6 boxes of 4 pens are 24 pens\nStep 2: 24 minus 5 is 19'),
      chainOf('student', 'Step 1: 6 boxes of 4 pens are 26 pens'),
    ];
    const rows = alignChains(chains);
    expect(differencesInWords(chains, rows[0], 1)).toBe('Against the teacher: has “26” in place of “24”.');
    expect(differencesInWords(chains, rows[1], 1)).toBe('Gap: the student chain has nothing here.');
    expect(differencesInWords(chains, rows[1], 0)).toBe('Only the teacher has this.');
  });
});
