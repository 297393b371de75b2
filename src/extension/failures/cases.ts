/**
 * Grouping, filtering and sorting of failure cases for the tree. No editor types, so it can be tested without VS Code.
 */
import { markIn } from '../../cases/marked-step';
import { faultText } from '../../chain/fault-text';
import { failureCategories } from '../../chain/faults';
import type { Decisions } from '../../runs/decisions';
import type { FailureRecord, RewriteDecision } from '../../runs/records';
import { clipLine, plural } from '../shared/words';

export const groupings = ['category', 'step'] as const;
export type Grouping = (typeof groupings)[number];

/** Titles of the sort orders. */
export const caseOrders = {
  run: 'As the run recorded them',
  unread: 'Unread first',
  shortest: 'Shortest answer first',
  longest: 'Longest answer first',
  wrong: 'Most wrong answers first',
} as const;
export type CaseOrder = keyof typeof caseOrders;

/** How the cases of a run are listed. */
export interface CaseListing {
  grouping: Grouping;
  order: CaseOrder;
  filter: string;
}

export interface CaseGroup {
  kind: 'group';
  id: string;
  run: string;
  label: string;
  cases: FailureCase[];
  /** Its cases, so that a command applies to the whole group. */
  problemIds: string[];
}

/** Contains what commands need: run, problem, and the sample with the first wrong step. */
export interface FailureCase {
  kind: 'case';
  id: string;
  run: string;
  problemId: string;
  sample: number;
  /** The first wrong step of that sample (from 0) and the reason: as marked by a person, else as recorded. */
  fault?: { step: number; reason: string };
  record: FailureRecord;
}

/** The cases in display order by group: the order of Next and Previous. */
export function listCases(
  run: string,
  records: readonly FailureRecord[],
  decisions: Decisions,
  { grouping, order, filter }: CaseListing,
): CaseGroup[] {
  const found = filterFailures(records, filter, decisions).map((record) => caseOf(run, record, decisions));
  return groupFailures(run, sorted(found, order, decisions), grouping);
}

/**
 * The case `by` places further, wrapping round; undefined if there is no other. A case that is not listed counts as
 * before the first.
 */
export function neighbour(ids: readonly string[], problemId: string, by: number): string | undefined {
  const at = ids.indexOf(problemId);
  const from = at < 0 && by < 0 ? 0 : at;
  const next = ids[(from + by + ids.length) % ids.length];
  return next === problemId ? undefined : next;
}

export const acceptedRewrites = (problemId: string, { rewrites }: Decisions): RewriteDecision[] =>
  rewrites.get(problemId)?.filter(({ verdict }) => verdict === 'accepted' || verdict === 'edited') ?? [];

export const isAccepted = (problemId: string, decisions: Decisions): boolean =>
  acceptedRewrites(problemId, decisions).length > 0;

/** A filter word that tests a property of the case: `is:unread`, `tokens>200`. */
const marks: Record<string, (record: FailureRecord, decisions: Decisions) => boolean> = {
  'is:read': ({ problemId }, { read }) => read.has(problemId),
  'is:unread': ({ problemId }, { read }) => !read.has(problemId),
  'is:noted': ({ problemId }, { notes }) => notes.has(problemId),
  'is:marked': ({ problemId, samples }, { steps }) => markIn(samples, steps.get(problemId)) !== undefined,
  'is:picked': ({ problemId }, { picked }) => picked.has(problemId),
  'is:accepted': ({ problemId }, decisions) => isAccepted(problemId, decisions),
  'is:undecided': ({ problemId }, decisions) => !isAccepted(problemId, decisions) && !decisions.picked.has(problemId),
};
export const filterWords = [...Object.keys(marks), 'tokens>200', 'tokens<50'];

/** The cases that contain every text word of the filter, ignoring case, and satisfy its conditions. */
export function filterFailures(
  records: readonly FailureRecord[],
  filter: string,
  decisions: Decisions,
): readonly FailureRecord[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return records;
  return records.filter((record) => {
    const { problemId, question, answer, category, firstWrongStep, samples } = record;
    const texts = [problemId, question, answer, category, firstWrongStep?.text, firstWrongStep?.reason];
    const all = [...texts, decisions.notes.get(problemId), ...samples.map(({ text }) => text)].join('\n').toLowerCase();
    return words.every((word) => {
      const [, sign, count] = /^tokens([<>])(\d+)$/.exec(word) ?? [];
      if (sign === '>') return samples.some(({ tokens }) => tokens > Number(count));
      if (sign === '<') return samples.some(({ tokens }) => tokens < Number(count));
      return Object.hasOwn(marks, word) ? marks[word](record, decisions) : all.includes(word);
    });
  });
}

function sorted(cases: readonly FailureCase[], order: CaseOrder, { read }: Decisions): readonly FailureCase[] {
  const length = ({ record, sample }: FailureCase) => record.samples[sample]?.tokens ?? 0;
  const wrong = ({ record: { samples } }: FailureCase) =>
    samples.filter(({ correct }) => !correct).length / Math.max(1, samples.length);
  const amounts: Record<CaseOrder, (one: FailureCase) => number> = {
    run: () => 0,
    unread: ({ problemId }) => Number(read.has(problemId)),
    shortest: length,
    longest: (one) => -length(one),
    wrong: (one) => -wrong(one),
  };
  return cases.toSorted((a, b) => amounts[order](a) - amounts[order](b));
}

/** Groups in a fixed order by meaning; within a group the given order is kept. */
function groupFailures(run: string, all: readonly FailureCase[], grouping: Grouping): CaseGroup[] {
  const key = grouping === 'category' ? ({ record }: FailureCase) => record.category : stepOf;
  const groups = new Map<string, FailureCase[]>();
  for (const one of all) {
    const cases = groups.get(key(one)) ?? [];
    groups.set(key(one), cases);
    cases.push(one);
  }
  const order = grouping === 'category' ? byCategory : byStep;
  return [...groups]
    .sort(([a], [b]) => order(a, b))
    .map(([label, cases]) => ({
      kind: 'group',
      id: `group ${run} ${grouping} ${label}`,
      run,
      label,
      cases,
      problemIds: cases.map(({ problemId }) => problemId),
    }));
}

export function caseOf(run: string, record: FailureRecord, { steps }: Pick<Decisions, 'steps'>): FailureCase {
  const { problemId, firstWrongStep, samples } = record;
  const marked = markIn(samples, steps.get(problemId));
  const wrong = samples.findIndex(({ correct }) => !correct);
  const sample = marked?.sample ?? firstWrongStep?.sample ?? Math.max(0, wrong);
  const recorded = firstWrongStep && {
    step: firstWrongStep.step,
    reason: faultText(firstWrongStep.reason, firstWrongStep.step),
  };
  const fault = marked ? { step: marked.step, reason: `first wrong step marked: ${marked.step + 1}` } : recorded;
  return { kind: 'case', id: `case ${run} ${record.seq}`, run, problemId, sample, ...(fault && { fault }), record };
}

const noStep = 'No wrong step found';
const stepOf = ({ fault }: FailureCase) => (fault ? `Step ${fault.step + 1}` : noStep);

const rank = (list: readonly string[], value: string) => (list.includes(value) ? list.indexOf(value) : list.length);
const byCategory = (a: string, b: string) =>
  rank(failureCategories, a) - rank(failureCategories, b) || a.localeCompare(b);
const byStep = (a: string, b: string) =>
  Number(a === noStep) - Number(b === noStep) || a.localeCompare(b, undefined, { numeric: true });

/** The failure on one line. */
export function caseText({ record, sample, fault }: FailureCase): string {
  if (fault) return clipLine(fault.reason, 100);
  const shown = record.samples[sample];
  if (!shown?.finished) return 'cut off by the token budget';
  return shown.answer === null
    ? 'no answer'
    : `answers ${clipLine(shown.answer, 30)}, not ${clipLine(record.answer, 30)}`;
}

/** `3 of 3 wrong` */
export function shareText({ samples }: FailureRecord): string {
  const wrong = samples.filter(({ correct }) => !correct).length;
  return samples.length > 1 ? `${wrong} of ${plural(samples.length, 'answer')} wrong` : '';
}
