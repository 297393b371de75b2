import { describe, expect, it } from 'vitest';
import { checkReward } from './check';

const rewardIssues = (...components: object[]) =>
  checkReward(JSON.stringify({ components: [...components, { use: 'grounded', gate: [] }] })).issues;

describe('the settings of a reward', () => {
  it('checks components, their options and missing parts', () => {
    const issues = rewardIssues(
      { use: 'corectness' },
      { use: 'brevity', options: { under: -1, bonus: 2 } },
      { use: 'softOverlong' },
      { weight: 2 },
      3 as never,
    );
    expect(issues.map(({ message, remedy }) => [message, remedy])).toEqual([
      [
        expect.stringMatching(
          /^components\[0\]\.use must be one of "correctness", "grounded", .*, not "corectness"\.$/,
        ),
        'Did you mean "correctness"?',
      ],
      ['components[1].options.under must be a number of 0 or more, not -1.', undefined],
      ['Unknown setting "bonus" in components[1].options.', 'Known here: under, over, floor, stepBonus, maxSteps.'],
      [
        'Missing setting "maxTokens" in components[2].options.',
        expect.stringContaining('Add "maxTokens": Longest completion'),
      ],
      ['Missing setting "use" in components[3].', expect.stringContaining('Add "use": one of "correctness"')],
      ['components[4] must be an object in { }, not 3.', undefined],
    ]);
  });

  it.each<[object[], 'error' | 'warning', string]>([
    [[{ use: 'correctness' }, { use: 'format', gate: 'corectness' }], 'error', 'unknown component "corectness"'],
    [
      [{ use: 'correctness' }, { use: 'format', gate: ['correctness', 'brevity'] }],
      'error',
      'unknown component "brevity"',
    ],
    [[{ use: 'correctness' }, { use: 'correctness' }], 'error', 'Two components are named "correctness"'],
    [[{ use: 'correctness' }, { use: 'brevity', gate: [] }], 'warning', '"brevity" also rewards wrong answers'],
    [
      [{ use: 'correctness' }, { use: 'format' }, { use: 'brevity', gate: 'format' }],
      'warning',
      '"brevity" also rewards wrong answers',
    ],
    [
      [{ use: 'correctness' }, { use: 'format', options: { valid: 0 } }, { use: 'kimi', gate: 'format' }],
      'error',
      'The gate of "kimi" never opens',
    ],
    [[{ use: 'correctness' }, { use: 'repetition' }, { use: 'format', gate: ['repetition'] }], 'error', 'never opens'],
    [[{ use: 'brevity' }], 'warning', 'No component rewards a right answer'],
    [[{ use: 'correctness', gate: 'correctness' }], 'error', 'depends on itself'],
  ])('%j', (components, severity, message) => {
    expect(rewardIssues(...components)).toMatchObject([{ severity, message: expect.stringContaining(message) }]);
  });

  it('sees a gate on the answer through another gate', () => {
    expect(
      rewardIssues({ use: 'correctness' }, { use: 'format', gate: 'correctness' }, { use: 'brevity', gate: 'format' }),
    ).toEqual([]);
    expect(
      rewardIssues(
        { use: 'correctness' },
        { use: 'correctness', name: 'lenient' },
        { use: 'brevity', gate: 'lenient' },
      ),
    ).toEqual([]);
  });

  it('warns if nothing asks for steps that lead to the answer, except in the rewards of the release', () => {
    const message = expect.stringContaining('No component requires steps that lead to the answer');
    const issuesOf = (use: string) => checkReward(JSON.stringify({ components: [{ use }] })).issues;
    expect(issuesOf('correctness')).toMatchObject([{ severity: 'warning', message }]);
    expect(issuesOf('lead')).toMatchObject([{ severity: 'warning', message }]);
    expect(issuesOf('bridgeStage3')).toEqual([]);
    expect(rewardIssues({ use: 'correctness' }, { use: 'format', gate: 'grounded' })).toEqual([]);
  });

  it('finds a circle of gates', () => {
    const issues = rewardIssues({ use: 'correctness', gate: 'format' }, { use: 'format', gate: 'correctness' });
    expect(issues.map(({ path }) => path.join('.'))).toEqual(['components.0.gate', 'components.1.gate']);
  });
});
