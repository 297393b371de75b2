/**
 * Writes completions update by update: rollouts as they come, and the update's line in metrics.jsonl when it is
 * complete.
 */

import { sameAnswer } from '../answers/equal';
import { extractAnswer } from '../answers/extract';
import { type TextTokenizer, wordTokenizer } from '../cases/text-tokenizer';
import { completionLength } from '../chain/completion';
import type { RolloutRecord } from '../runs/records';
import type { RunWriter } from '../runs/writer';
import type { StageName } from '../stages';
import { deviation, largest, mean } from '../statistics';
import { type LoggedCompletion, problemIdOf } from './logged';
import type { LoggedMetrics } from './trainer-log';

type RolloutFields = Omit<RolloutRecord, 'seq' | 'stage' | 'step'>;

/** Records per write. */
const atOnce = 64;

export interface JudgedAnswer {
  answer: string | null;
  correct: boolean | null;
}

/** The log's own verdict, as the student was rewarded by it; otherwise compared with the reference answer by value. */
export function judge({ text, answer, gold, correct }: LoggedCompletion): JudgedAnswer {
  const found = answer ?? extractAnswer(text, 'strict')?.value ?? null;
  const right = correct ?? (gold === undefined ? null : found !== null && sameAnswer(found, gold));
  return { answer: found, correct: right };
}

/**
 * Weights of reward functions whose sum is not logged; functions that are not named have weight 1. null: unknown.
 */
export type RewardWeights = Readonly<Record<string, number>> | null;

export function rewardOf(
  { reward, parts }: LoggedCompletion,
  weights: RewardWeights,
  names?: ReadonlySet<string>,
): number | null {
  if (reward !== undefined) return reward;
  const applied = Object.entries(parts).filter(([name, value]) => value !== null && (names?.has(name) ?? true));
  if (applied.length === 0 || (weights === null && applied.length > 1)) return null;
  return applied.reduce((sum, [name, value]) => sum + (weights?.[name] ?? 1) * value!, 0);
}

export class StepWriter {
  private pending: RolloutFields[] = [];
  private groups = new Map<string, { group: number; size: number; rewards: number[]; right: number }>();
  private lengths: { length: number; correct: boolean | null }[] = [];
  private parts = new Map<string, { sum: number; n: number }>();
  private rewards: number[] = [];
  private step: number | undefined;
  completions = 0;

  constructor(
    private readonly run: RunWriter,
    private readonly settings: {
      stage: StageName;
      tokenizer?: TextTokenizer;
      weights: RewardWeights;
      /** The columns that are rewards, if the trainer's log names them. */
      rewardNames?: ReadonlySet<string>;
      /** Called for each complete update with the metrics computed here. */
      metrics: (step: number, own: LoggedMetrics) => void;
    },
  ) {}

  /** The update whose completions are being written. */
  get open(): number | undefined {
    return this.step;
  }

  add(logged: LoggedCompletion, step: number): void {
    if (this.step !== step) this.finish();
    this.step = step;
    const { tokenizer, weights, rewardNames } = this.settings;
    const id = problemIdOf(logged);
    const { answer, correct } = judge(logged);
    const group = this.groups.get(id) ?? { group: this.groups.size, size: 0, rewards: [], right: 0 };
    this.groups.set(id, group);
    const reward = rewardOf(logged, weights, rewardNames);
    const finished = isFinished(logged, tokenizer);
    const { prompt, question, gold, parts, advantage } = logged;
    const tokens = tokensOf(logged, finished, tokenizer);
    this.pending.push({
      problemId: id,
      group: group.group,
      sample: group.size++,
      prompt,
      question,
      ...(gold !== undefined && { gold }),
      ...tokens,
      reward,
      parts,
      advantage: advantage ?? null,
      finished,
      answer,
      correct,
    });
    if (reward !== null) {
      this.rewards.push(reward);
      group.rewards.push(reward);
    }
    if (correct) group.right++;
    this.lengths.push({ length: completionLength({ tokens: tokens.tokens, finished }), correct });
    for (const [name, value] of Object.entries(parts)) {
      if (value === null) continue;
      const part = this.parts.get(name) ?? { sum: 0, n: 0 };
      this.parts.set(name, { sum: part.sum + value, n: part.n + 1 });
    }
    this.completions++;
    if (this.pending.length >= atOnce) this.flush();
  }

  /** Writes the pending completions; more of the update may follow. */
  flush(): void {
    if (this.step !== undefined && this.pending.length > 0)
      this.run.rollouts(this.settings.stage, this.step, this.pending);
    this.pending = [];
  }

  /** Ends the current update. */
  finish(): void {
    this.flush();
    if (this.step !== undefined) this.settings.metrics(this.step, this.measures());
    this.step = undefined;
    this.groups.clear();
    this.parts.clear();
    [this.lengths, this.rewards] = [[], []];
  }

  private measures(): LoggedMetrics {
    const lengthsOf = (of: (typeof this.lengths)[number][]) => of.map(({ length }) => length);
    const [right, wrong] = [true, false].map((one) => lengthsOf(this.lengths.filter(({ correct }) => correct === one)));
    const groups = [...this.groups.values()].filter(({ size }) => size > 1);
    const share = (of: (group: (typeof groups)[number]) => boolean) => groups.filter(of).length / groups.length;
    const known = right.length + wrong.length === this.lengths.length;
    return {
      ...(this.rewards.length > 0 && { reward: mean(this.rewards), rewardStd: deviation(this.rewards) }),
      ...(this.parts.size > 0 && {
        parts: Object.fromEntries([...this.parts].map(([name, { sum, n }]) => [name, sum / n])),
      }),
      ...(known && { accuracy: right.length / this.lengths.length }),
      lengthMean: mean(lengthsOf(this.lengths)),
      ...(known && right.length > 0 && { lengthCorrect: mean(right) }),
      ...(known && wrong.length > 0 && { lengthWrong: mean(wrong) }),
      ...(groups.length > 0 &&
        this.rewards.length > 0 && { flatGroups: share(({ rewards }) => new Set(rewards).size <= 1) }),
      ...(groups.length > 0 &&
        known && {
          allCorrect: share(({ right, size }) => right === size),
          allWrong: share(({ right }) => right === 0),
        }),
    };
  }
}

/** As logged; else by the last token, if tokens and the end token are known; else true. */
export function isFinished({ finished, tokens }: LoggedCompletion, tokenizer: TextTokenizer | undefined): boolean {
  if (finished !== undefined) return finished;
  return !tokens || tokenizer?.end === undefined || tokens.ids.at(-1) === tokenizer.end;
}

/** The logged tokens if a tokenizer can decode them; else the text, tokenized by that tokenizer; else its words. */
function tokensOf({ text, tokens }: LoggedCompletion, finished: boolean, tokenizer: TextTokenizer | undefined) {
  const end = finished ? [''] : [];
  if (tokens && tokenizer?.decode) {
    const { ids, logProbs } = tokens;
    const texts = tokenizer.decode(ids);
    // The end token, if sampled, is the last one; its text is not part of the completion.
    if (finished) texts[texts.length - 1] = '';
    return { tokens: [...ids], tokenTexts: texts, ...(logProbs && { logProbs }) };
  }
  const cut = (tokenizer ?? wordTokenizer()).tokenize(text);
  return {
    tokens: [...cut.ids, ...end.map(() => tokenizer?.end ?? largest(cut.ids, -1) + 1)],
    tokenTexts: [...cut.texts, ...end],
    ...(!tokenizer && { unit: 'words' as const }),
  };
}
