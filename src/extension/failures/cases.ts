/** Failure cases as the tree groups them. No editor types, so that all of it can be tested anywhere. */
import { failureCategories } from '../../chain/faults';
import type { FailureRecord } from '../../runs/records';
import { clip, plural } from '../words';

export const groupings = ['category', 'step'] as const;
export type Grouping = (typeof groupings)[number];

export interface CaseGroup {
  kind: 'group';
  id: string;
  run: string;
  label: string;
  cases: FailureCase[];
  /** Of its cases, so that a command takes a group as all that is in it. */
  problemIds: string[];
}

/** Carries what commands want to know: the run, the problem and the sample that the first wrong step is in. */
export interface FailureCase {
  kind: 'case';
  id: string;
  run: string;
  problemId: string;
  sample: number;
  record: FailureRecord;
}

/** The cases that hold every word of the filter somewhere in what is known of them, capitals aside. */
export function filterFailures(records: readonly FailureRecord[], filter: string): readonly FailureRecord[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return records;
  return records.filter((record) => {
    const { problemId, question, answer, category, firstWrongStep, samples } = record;
    const texts = [problemId, question, answer, category, firstWrongStep?.text, firstWrongStep?.reason];
    const all = [...texts, ...samples.map(({ text }) => text)].join('\n').toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** Groups in a fixed order, by what they say; within one, the order of the file. */
export function groupFailures(run: string, records: readonly FailureRecord[], grouping: Grouping): CaseGroup[] {
  const key = grouping === 'category' ? ({ category }: FailureRecord) => category : stepOf;
  const groups = new Map<string, FailureCase[]>();
  for (const record of records) {
    const cases = groups.get(key(record)) ?? [];
    groups.set(key(record), cases);
    cases.push(caseOf(run, record));
  }
  const order = grouping === 'category' ? byCategory : byStep;
  return [...groups]
    .sort(([a], [b]) => order(a, b))
    .map(([label, cases]) => ({
      ...{ kind: 'group', id: `group ${run} ${grouping} ${label}`, run, label, cases },
      problemIds: cases.map(({ problemId }) => problemId),
    }));
}

export function caseOf(run: string, record: FailureRecord): FailureCase {
  const { problemId, firstWrongStep, samples } = record;
  const wrong = samples.findIndex(({ correct }) => !correct);
  const sample = firstWrongStep?.sample ?? Math.max(0, wrong);
  return { kind: 'case', id: `case ${run} ${record.seq}`, run, problemId, sample, record };
}

const noStep = 'No wrong step found';
const stepOf = ({ firstWrongStep }: FailureRecord) =>
  firstWrongStep ? `Wrong from step ${firstWrongStep.step + 1}` : noStep;

const rank = (list: readonly string[], value: string) => (list.includes(value) ? list.indexOf(value) : list.length);
const byCategory = (a: string, b: string) =>
  rank(failureCategories, a) - rank(failureCategories, b) || a.localeCompare(b);
const byStep = (a: string, b: string) =>
  Number(a === noStep) - Number(b === noStep) || a.localeCompare(b, undefined, { numeric: true });

/** What went wrong, in one line. */
export function caseText({ record, sample }: FailureCase): string {
  const { firstWrongStep, samples, answer } = record;
  if (firstWrongStep) return clip(firstWrongStep.reason.replace(/^leaves the teacher's path here: /, ''), 100);
  const shown = samples[sample];
  if (!shown?.finished) return 'cut off by the token budget';
  return shown.answer === null ? 'no answer' : `answers ${clip(shown.answer, 30)}, not ${clip(answer, 30)}`;
}

/** `3 of 3 wrong` */
export function shareText({ samples }: FailureRecord): string {
  const wrong = samples.filter(({ correct }) => !correct).length;
  return samples.length > 1 ? `${wrong} of ${plural(samples.length, 'answer')} wrong` : '';
}
