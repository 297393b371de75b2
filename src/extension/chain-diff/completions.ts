/** The completions of a problem at one moment, read from any kind of record. */
import { completionLength, completionText } from '../../chain/completion';
import type { GroupMember, Moment } from '../../protocol/chain-diff';
import type { Origin } from '../../protocol/chain-diff-requests';
import {
  evaluationRecordSchema,
  type FailureRecord,
  failureRecordSchema,
  type RolloutRecord,
  rolloutRecordSchema,
} from '../../runs/records';
import { largest } from '../../statistics';
import type { TimedSource } from './moments';
import type { ProblemIndex } from './problem-index';

export interface DiffCompletion extends GroupMember {
  text: string;
  origin: Origin;
  /** The update that sampled the completion. */
  rollout?: RolloutRecord;
}

export interface DiffGroup {
  moment: Moment;
  /** Best first. */
  completions: DiffCompletion[];
  failure?: FailureRecord;
  /** The question and reference answer, where these records have them. */
  question?: string;
  gold?: string;
}

/** @throws UserError for a record that cannot be read */
export async function readGroup(
  index: ProblemIndex,
  problemId: string,
  { moment, source }: TimedSource,
): Promise<DiffGroup> {
  const { file } = source;
  if (source.kind === 'rollouts') {
    const found = await index.read(file, problemId, rolloutRecordSchema);
    // An update may draw a problem twice. Its groups are separate, and sample numbers continue from one to the next.
    const groups = [...new Set(found.map(({ record }) => record.group))];
    const size = largest(
      found.map(({ record }) => record.sample + 1),
      0,
    );
    const completions = found.map(({ record, line }) => {
      const group = groups.indexOf(record.group);
      return { ...completionOfRollout(record, { file, line }), group, sample: group * size + record.sample };
    });
    const { question, gold } = found[0]?.record ?? {};
    return { moment, completions: completions.sort(best), question, gold };
  }
  if (source.kind === 'evaluation') {
    const found = await index.read(file, problemId, evaluationRecordSchema);
    const completions = found.map(({ record, line }, sample) => completionOfAnswer(record, sample, { file, line }));
    const { question, gold } = found[0]?.record ?? {};
    return { moment, completions, question, gold };
  }
  // A problem that failed again after a resume is recorded twice: the last record counts.
  const found = (await index.read(file, problemId, failureRecordSchema)).at(-1);
  const origin = { file, line: found?.line };
  const completions = (found?.record.samples ?? []).map((answer, sample) => completionOfAnswer(answer, sample, origin));
  return { moment, completions: completions.sort(best), failure: found?.record, gold: found?.record.answer };
}

/** By reward; without rewards, right ones first; then shorter ones first. */
function best(a: DiffCompletion, b: DiffCompletion): number {
  return (
    (b.reward ?? Number.NEGATIVE_INFINITY) - (a.reward ?? Number.NEGATIVE_INFINITY) ||
    Number(b.correct) - Number(a.correct) ||
    a.length - b.length ||
    a.sample - b.sample
  );
}

function completionOfRollout(rollout: RolloutRecord, origin: Origin): DiffCompletion {
  const { sample, reward, advantage, answer, correct, finished } = rollout;
  return {
    group: 0,
    sample,
    reward: known(reward),
    advantage: known(advantage),
    length: completionLength(rollout),
    answer,
    correct,
    finished,
    text: completionText(rollout),
    origin,
    rollout,
  };
}

function completionOfAnswer(
  { text, answer, correct, finished, tokens }: FailureRecord['samples'][number],
  sample: number,
  origin: Origin,
): DiffCompletion {
  return { group: 0, sample, reward: null, advantage: null, length: tokens, answer, correct, finished, text, origin };
}

/** JSON has no NaN: a value that is not a number was not measured. */
export const known = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);
