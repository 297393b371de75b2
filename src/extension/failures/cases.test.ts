import { describe, expect, it } from 'vitest';
import { type Decisions, decisionsOf } from '../../runs/decisions';
import { failure } from '../testing/run-folders';
import { type CaseOrder, caseOf, caseText, filterFailures, type Grouping, listCases, shareText } from './cases';
import { caseTooltip } from './tooltip';

const wrong = { text: 'x', answer: null, correct: false, finished: true, tokens: 3 };
const records = [
  failure(1, { category: 'truncated', firstWrongStep: undefined, samples: [{ ...wrong, finished: false }] }),
  failure(2),
  failure(3, { category: 'from a newer version', firstWrongStep: { sample: 0, step: 10, text: '', reason: 'late' } }),
  failure(4, { firstWrongStep: { sample: 0, step: 1, text: '7 * 8 = 54', reason: '7 * 8 is 56, not 54' } }),
];
const decided = { time: '2026-02-05T14:03:09.000Z', question: 'q' };
const none = decisionsOf([]);
const some = decisionsOf([
  { ...decided, kind: 'read', problemId: 'train-1', read: true },
  { ...decided, kind: 'note', problemId: 'train-2', text: 'A strange one' },
  { ...decided, kind: 'step', problemId: 'train-4', sample: 0, step: 2 },
  { ...decided, kind: 'pick', problemId: 'train-3', picked: true },
]);

function listed(grouping: Grouping, order: CaseOrder = 'run', decisions: Decisions = none) {
  const groups = listCases('/run', records, decisions, { grouping, order, filter: '' });
  return groups.map(({ label, cases }) => [label, cases.map(({ problemId }) => problemId).join()]);
}

describe('failure cases', () => {
  it('are grouped by category in the order of the categories, unknown ones last', () => {
    expect(listed('category')).toEqual([
      ['arithmetic slip', 'train-2,train-4'],
      ['truncated', 'train-1'],
      ['from a newer version', 'train-3'],
    ]);
  });

  it('are grouped by the first wrong step, in the order of steps, those without one last; a mark counts', () => {
    const labels = ['Step 1', 'Step 2', 'Step 11', 'No wrong step found'];
    expect(listed('step').map(([label]) => label)).toEqual(labels);
    expect(listed('step', 'run', some).map(([label]) => label)).toEqual(['Step 1', 'Step 3', 'Step 11', labels[3]]);
  });

  it('leave a mark aside that was made in an answer of another run, which said something else', () => {
    const mark = {
      ...decided,
      kind: 'step' as const,
      problemId: 'train-4',
      sample: 0,
      step: 0,
      text: 'Not said here.',
    };
    const decisions = decisionsOf([mark]);
    expect(caseOf('/run', records[3], decisions).fault?.step).toBe(1);
    expect(filterFailures(records, 'is:marked', decisions)).toEqual([]);
  });

  it('are sorted within their groups', () => {
    const read = decisionsOf([{ ...decided, kind: 'read', problemId: 'train-2', read: true }]);
    expect(listed('category', 'unread', read)[0]).toEqual(['arithmetic slip', 'train-4,train-2']);
  });

  it('are found by words in any order, anywhere in them, and by what people made of them', () => {
    const found = (filter: string) => filterFailures(records, filter, some).map(({ seq }) => seq);
    expect(found('')).toEqual([1, 2, 3, 4]);
    expect(found('54 ARITHMETIC')).toEqual([4]);
    expect(found('train-2')).toEqual([2]);
    expect(found('strange')).toEqual([2]);
    expect(found('is:unread')).toEqual([2, 3, 4]);
    expect(found('is:read')).toEqual([1]);
    expect(found('is:marked')).toEqual([4]);
    expect(found('is:picked')).toEqual([3]);
    expect(found('is:undecided is:noted')).toEqual([2]);
    expect(found('tokens<5')).toEqual([1]);
    expect(found('nothing like it')).toEqual([]);
    expect([...found('constructor'), ...found('__proto__')]).toEqual([]);
  });

  it('say in one line what went wrong; a departure is called a guess', () => {
    const text = (change: Parameters<typeof failure>[1]) => caseText(caseOf('/run', failure(1, change), none));
    const without = { firstWrongStep: undefined };
    expect(text({})).toBe('2 + 3 is 5, not 6');
    const reason = "leaves the teacher's path here: the teacher never has 96";
    expect(text({ firstWrongStep: { sample: 0, step: 4, text: '', reason } })).toBe(
      "departs from the teacher at step 5: 96 does not occur in the teacher's chain",
    );
    expect(text({ ...without, samples: [{ ...wrong, finished: false }] })).toBe('cut off by the token budget');
    expect(text({ ...without, samples: [wrong] })).toBe('no answer');
    expect(
      text({
        ...without,
        samples: [
          { ...wrong, correct: true, answer: '5' },
          { ...wrong, answer: '6' },
        ],
      }),
    ).toBe('answers 6, not 5');
    expect(shareText(failure(1, { samples: [wrong, { ...wrong, correct: true }] }))).toBe('1 of 2 answers wrong');
    expect(caseText(caseOf('/run', records[3], some))).toBe('first wrong step marked: 3');
  });

  it('carry what commands need: run, problem and the wrong sample', () => {
    const record = failure(7, { firstWrongStep: undefined, samples: [{ ...wrong, correct: true }, wrong] });
    const one = caseOf('/run', record, none);
    expect(one).toMatchObject({ run: '/run', problemId: 'train-7', sample: 1 });
    expect(caseTooltip(one, none).text).toContain('What is 2 &#43; 3?');
  });
});
