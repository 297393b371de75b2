import { describe, expect, it } from 'vitest';
import { format, levelOf, missingFor, signedValue, tokenKl, tokenValue } from './overlays';
import { alignChains } from './rows';
import { findAll } from './search';
import { chainOf } from './testing/chains';

const chain = { ...chainOf('student', 'Step 1: 4 pens'), logProbs: [-0.01, -2, null], refLogProbs: [-0.01, -1, -1] };

describe('overlays', () => {
  it('shows the k3 estimate of the KL, which is never negative', () => {
    expect(tokenKl(-2, -1)).toBeCloseTo(Math.E - 2, 12);
    expect(tokenKl(-1, -1)).toBe(0);
    expect(tokenValue(chain, 'kl', 1)).toBeCloseTo(Math.E - 2, 12);
    expect(tokenValue(chain, 'kl', 2)).toBeNull();
    expect(tokenValue(chain, 'logProb', 1)).toBe(2);
  });

  it('has four levels', () => {
    expect([0.05, 0.1, 0.7, 1.6, 3, 100].map((value) => levelOf('logProb', value))).toEqual([0, 1, 2, 3, 4, 4]);
    expect(levelOf('advantage', -1.5)).toBe(3);
    expect(levelOf('kl', null)).toBe(0);
  });

  it('explains missing values', () => {
    expect(missingFor(chain, 'logProb')).toBeNull();
    const absent = { logProbs: 'as text', refLogProbs: 'beta is 0', entropy: 'turned off', reward: 'no group' };
    expect(missingFor({ ...chain, absent }, 'entropy')).toBe('turned off');
    expect(missingFor({ ...chain, absent }, 'advantage')).toBe('no group');
    expect(missingFor({ ...chain, absent, refLogProbs: undefined }, 'kl')).toBe('beta is 0');
    expect(missingFor({ ...chainOf('teacher', 'Step 1: 4'), absent }, 'kl')).toBe('as text');
    for (const overlay of ['diff', 'reward'] as const) expect(missingFor(chain, overlay)).toBeNull();
  });

  it('writes numbers as people read them', () => {
    expect([format(-0.6789), format(1234.5), format(-0.0000159), signedValue(-1), signedValue(0.256)]).toEqual([
      '−0.679',
      '1235',
      '−1.6e−5',
      '−1.00',
      '+0.26',
    ]);
  });
});

describe('findAll', () => {
  it('finds a text over tokens, in either case, row by row', () => {
    const chains = [
      chainOf('teacher', 'Step 1: Four red pens\nAnswer: 4'),
      chainOf('student', 'Step 1: four RED pens'),
    ];
    const rows = alignChains(chains);
    const found = findAll(chains, rows, ' four red');
    expect(
      found.map(({ row, column, from, to }) => [row, column, chains[column].texts.slice(from, to).join('')]),
    ).toEqual([
      [0, 0, ' Four red'],
      [0, 1, ' four RED'],
    ]);
    expect(findAll(chains, rows, '  ')).toEqual([]);
  });
});
