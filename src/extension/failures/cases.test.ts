import { describe, expect, it } from 'vitest';
import { failure } from '../testing/run-folders';
import { caseOf, caseText, filterFailures, groupFailures, shareText } from './cases';
import { caseTooltip } from './tooltip';

const wrong = { text: 'x', answer: null, correct: false, finished: true, tokens: 3 };
const records = [
  failure(1, { category: 'truncated', firstWrongStep: undefined, samples: [{ ...wrong, finished: false }] }),
  failure(2),
  failure(3, { category: 'from a newer version', firstWrongStep: { sample: 0, step: 10, text: '', reason: 'late' } }),
  failure(4, { firstWrongStep: { sample: 0, step: 1, text: '7 * 8 = 54', reason: '7 * 8 is 56, not 54' } }),
];

describe('failure cases', () => {
  it('are grouped by category in the order of the categories, unknown ones last', () => {
    const groups = groupFailures('/run', records, 'category');
    expect(groups.map(({ label, cases }) => [label, cases.map(({ problemId }) => problemId)])).toEqual([
      ['arithmetic slip', ['train-2', 'train-4']],
      ['truncated', ['train-1']],
      ['from a newer version', ['train-3']],
    ]);
  });

  it('are grouped by the first wrong step, in the order of steps, those without one last', () => {
    expect(groupFailures('/run', records, 'step').map(({ label }) => label)).toEqual([
      'Wrong from step 1',
      'Wrong from step 2',
      'Wrong from step 11',
      'No wrong step found',
    ]);
  });

  it('are found by words in any order, anywhere in them', () => {
    const found = (filter: string) => filterFailures(records, filter).map(({ seq }) => seq);
    expect(found('')).toEqual([1, 2, 3, 4]);
    expect(found('54 ARITHMETIC')).toEqual([4]);
    expect(found('train-2')).toEqual([2]);
    expect(found('nothing like it')).toEqual([]);
  });

  it('say in a line what went wrong', () => {
    const text = (change: Parameters<typeof failure>[1]) => caseText(caseOf('/run', failure(1, change)));
    const none = { firstWrongStep: undefined };
    expect(text({})).toBe('2 + 3 is 5, not 6');
    const reason = "leaves the teacher's path here: the teacher never has 96";
    expect(text({ firstWrongStep: { sample: 0, step: 0, text: '', reason } })).toBe('the teacher never has 96');
    expect(text({ ...none, samples: [{ ...wrong, finished: false }] })).toBe('cut off by the token budget');
    expect(text({ ...none, samples: [wrong] })).toBe('no answer');
    expect(
      text({
        ...none,
        samples: [
          { ...wrong, correct: true, answer: '5' },
          { ...wrong, answer: '6' },
        ],
      }),
    ).toBe('answers 6, not 5');
    expect(shareText(failure(1, { samples: [wrong, { ...wrong, correct: true }] }))).toBe('1 of 2 answers wrong');
  });

  it('carry what commands need: run, problem and the wrong sample', () => {
    const one = caseOf(
      '/run',
      failure(7, { firstWrongStep: undefined, samples: [{ ...wrong, correct: true }, wrong] }),
    );
    expect(one).toMatchObject({ run: '/run', problemId: 'train-7', sample: 1 });
    expect(caseTooltip(one).text).toContain('What is 2 &#43; 3?');
  });
});
