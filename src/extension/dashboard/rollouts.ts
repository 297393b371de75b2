import type { UserError } from '../../errors';
import type { Completion, Group, RolloutsMessage } from '../../protocol/dashboard';
import { readRollouts, rolloutSteps } from '../../runs/reading';
import type { RolloutRecord } from '../../runs/records';
import type { StageName } from '../../stages';

/**
 * The completions that an update was computed from, a group a prompt, highest reward first; or why there are none to
 * see.
 */
export function rolloutsMessage(run: string, stage: StageName, step: number): RolloutsMessage {
  const message: RolloutsMessage = { type: 'rollouts', run, stage, step, groups: [] };
  const steps = rolloutSteps(run).flatMap((place) => (place.stage === stage ? [place.step] : []));
  const previous = Math.max(...steps.filter((other) => other < step));
  const next = Math.min(...steps.filter((other) => other > step));
  if (Number.isFinite(previous)) message.previous = previous;
  if (Number.isFinite(next)) message.next = next;
  if (!steps.includes(step)) {
    message.problem =
      steps.length > 0
        ? 'The rollouts of this update were not kept.'
        : 'Nothing was sampled here: supervised updates learn from given text.';
    return message;
  }
  try {
    const damage = (problem: UserError) => {
      message.problem ??= problem.toString();
    };
    message.groups = groupsOf(readRollouts(run, stage, step, damage));
  } catch (error) {
    message.problem = String(error);
  }
  return message;
}

/** In the order of the batch. */
export function groupsOf(records: readonly RolloutRecord[]): Group[] {
  const groups = new Map<number, Group>();
  for (const record of records) {
    let group = groups.get(record.group);
    if (!group) {
      const { problemId, prompt, teacherTokens } = record;
      group = { problemId, group: record.group, prompt, completions: [] };
      if (teacherTokens !== undefined) group.teacherTokens = teacherTokens;
      groups.set(record.group, group);
    }
    group.completions.push(completionOf(record));
  }
  const rank = ({ reward }: Completion) =>
    reward === null || Number.isNaN(reward) ? Number.NEGATIVE_INFINITY : reward;
  for (const { completions } of groups.values())
    completions.sort((a, b) => (rank(a) === rank(b) ? a.tokens - b.tokens : rank(b) - rank(a)));
  return [...groups.values()];
}

function completionOf(record: RolloutRecord): Completion {
  const { sample, tokens, tokenTexts, reward, parts, advantage, answer, correct, finished } = record;
  // The end token is no part of the text.
  const shown = finished ? tokenTexts.slice(0, -1) : tokenTexts;
  return {
    sample,
    text: shown.join(''),
    tokens: tokens.length - Number(finished),
    reward,
    parts,
    advantage,
    answer,
    correct,
    finished,
  };
}
