import { describe, expect, it } from 'vitest';
import type { DashboardCompletion, DashboardGroup } from '../../src/protocol/dashboard';
import { matchingGroups } from './rollout-list';

const completion = (sample: number, change: Partial<DashboardCompletion>): DashboardCompletion => ({
  sample,
  text: `text ${sample}`,
  tokens: 10,
  reward: 0,
  parts: {},
  advantage: 0,
  answer: '1',
  correct: true,
  finished: true,
  ...change,
});

const groups: DashboardGroup[] = [
  {
    problemId: 'train-1',
    group: 0,
    prompt: 'How many apples?',
    completions: [
      completion(0, { reward: 2, tokens: 30, advantage: 1 }),
      completion(1, { reward: -1, tokens: 5, advantage: -1, correct: false, text: 'seven Pears' }),
    ],
  },
  {
    problemId: 'train-2',
    group: 1,
    prompt: 'How many pears?',
    completions: [
      completion(0, { reward: 1, tokens: 40, advantage: 0.5, finished: false }),
      completion(1, { reward: null, tokens: 20, advantage: 0, correct: false }),
    ],
  },
];

const shown = (wish: Partial<Parameters<typeof matchingGroups>[1]>) =>
  matchingGroups(groups, { filter: 'all', order: 'batch', query: '', ...wish }).map(
    ({ problemId, completions }) => `${problemId}: ${completions.map(({ sample }) => sample).join()}`,
  );

describe('the rollouts of an update', () => {
  it('are found by words of the problem, which bring its whole group, or of a completion', () => {
    expect(shown({})).toEqual(['train-1: 0,1', 'train-2: 0,1']);
    expect(shown({ query: ' PEARS ' })).toEqual(['train-1: 1', 'train-2: 0,1']);
    expect(shown({ query: 'train-1', filter: 'wrong' })).toEqual(['train-1: 1']);
    expect(shown({ filter: 'cut off' })).toEqual(['train-2: 0']);
    expect(shown({ query: 'plums' })).toEqual([]);
  });

  it('are sorted within their groups, and the groups by what comes first; what has no reward comes last', () => {
    expect(shown({ order: 'best' })).toEqual(['train-1: 0,1', 'train-2: 0,1']);
    expect(shown({ order: 'worst' })).toEqual(['train-1: 1,0', 'train-2: 0,1']);
    expect(shown({ order: 'longest' })).toEqual(['train-2: 0,1', 'train-1: 0,1']);
    expect(shown({ order: 'shortest' })).toEqual(['train-1: 1,0', 'train-2: 1,0']);
    expect(shown({ order: 'raised' })).toEqual(['train-1: 0,1', 'train-2: 0,1']);
    expect(shown({ order: 'lowered' })).toEqual(['train-1: 1,0', 'train-2: 1,0']);
  });
});
