import { completionLength, completionText } from '../../chain/completion';
import type { UserError } from '../../errors';
import { yieldToEventLoop } from '../../event-loop';
import type { DashboardCompletion, DashboardGroup, RolloutsMessage } from '../../protocol/dashboard';
import { eachRollout, rolloutSteps } from '../../runs/reading';
import type { RolloutRecord } from '../../runs/records';
import type { StageName } from '../../stages';
import { largest, smallest } from '../../statistics';

/** At most this many characters of prompts and completions are sent, as the page renders all of them at once. */
const mostText = 16 << 20;
/** Milliseconds of reading before the event loop gets a turn. */
const yieldEveryMs = 20;

/**
 * The completions of an update by group, highest reward first, or the reason why there are none. Of a file that is too
 * large for the page, only the first ones. `onProgress` receives the number of bytes read.
 */
export async function rolloutsMessage(
  { run, stage, step }: { run: string; stage: StageName; step: number },
  onProgress: (bytes: number) => void = () => {},
  most = mostText,
): Promise<RolloutsMessage> {
  const message: RolloutsMessage = { type: 'rollouts', run, stage, step, groups: [] };
  const steps = rolloutSteps(run).flatMap((place) => (place.stage === stage ? [place.step] : []));
  const previous = largest(steps.filter((other) => other < step));
  const next = smallest(steps.filter((other) => other > step));
  if (Number.isFinite(previous)) message.previous = previous;
  if (Number.isFinite(next)) message.next = next;
  if (!steps.includes(step)) {
    message.problem =
      steps.length > 0
        ? 'The rollouts of this update were not kept.'
        : 'Nothing was sampled here: supervised updates train on given texts.';
    return message;
  }
  try {
    const damage = (problem: UserError) => {
      message.problem ??= problem.toString();
    };
    const groups = new Groups();
    let turn = performance.now();
    for (const { record, next } of eachRollout(run, stage, step, damage)) {
      if (groups.characters > most) {
        const count = groups.completions.toLocaleString('en');
        message.problem ??= `The first ${count} completions: the file holds more than a page can show.`;
        break;
      }
      groups.add(record);
      if (performance.now() - turn < yieldEveryMs) continue;
      onProgress(next);
      await yieldToEventLoop();
      turn = performance.now();
    }
    message.groups = groups.sorted();
  } catch (error) {
    message.problem = String(error);
  }
  return message;
}

/** In batch order. */
export class Groups {
  completions = 0;
  characters = 0;
  private readonly groups = new Map<number, DashboardGroup>();

  add(record: RolloutRecord): void {
    let group = this.groups.get(record.group);
    if (!group) {
      const { problemId, prompt, teacherTokens } = record;
      group = { problemId, group: record.group, prompt, completions: [] };
      if (teacherTokens !== undefined) group.teacherTokens = teacherTokens;
      this.groups.set(record.group, group);
      this.characters += prompt.length;
    }
    const completion = completionOf(record);
    group.completions.push(completion);
    this.completions++;
    this.characters += completion.text.length;
  }

  sorted(): DashboardGroup[] {
    const rank = ({ reward }: DashboardCompletion) =>
      reward === null || Number.isNaN(reward) ? Number.NEGATIVE_INFINITY : reward;
    for (const { completions } of this.groups.values())
      completions.sort((a, b) => (rank(a) === rank(b) ? a.tokens - b.tokens : rank(b) - rank(a)));
    return [...this.groups.values()];
  }
}

function completionOf(record: RolloutRecord): DashboardCompletion {
  const { sample, reward, parts, advantage, answer, correct, finished } = record;
  return {
    sample,
    text: completionText(record),
    tokens: completionLength(record),
    reward,
    parts,
    advantage,
    answer,
    correct,
    finished,
  };
}
