import { judge } from '../../answers/grade';
import { withoutEnd } from '../../chain/completion';
import { showsSteps } from '../../chain/prompts';
import type { GrpoSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import type { Episode } from '../../engine-data/examples';
import type { TokenMeasures } from '../../engine-data/training';
import type { RewardInput, RewardScore } from '../../rewards/compose';
import { scoreGroups } from '../../rewards/score';
import type { RolloutRecord } from '../../runs/records';
import { deviation, mean } from '../../statistics';
import { type Context, note } from '../context';
import type { Lesson } from '../lessons/lessons';
import { groupAdvantages } from './advantages';

/** The prompt of a group: row of the training lessons, token ids, and whether it is the plain question. */
export interface GroupPrompt {
  row: number;
  prompt: number[];
}

export interface ScoredSample {
  tokens: number[];
  logProbs: Float32Array;
  finished: boolean;
  text: string;
  answer: string | null;
  correct: boolean;
  score: RewardScore;
  advantage: number;
}

/** All completions of one prompt with their rewards. */
export interface ScoredGroup extends GroupPrompt {
  lesson: Lesson;
  samples: ScoredSample[];
}

/**
 * Maximum completions per sampling batch, in updates and for prompts of similar length; memory.ts relies on this limit.
 */
export const rowsAtOnce = ({ prompts, group }: Pick<GrpoSettings, 'prompts' | 'group'>): number => prompts * group;

/** The criterion for flat groups, see the setting `dynamicSampling.by`. */
export type FlatBy = GrpoSettings['dynamicSampling']['by'];

/**
 * A group whose applicable rewards are all equal gives no gradient, as its advantages are 0. With `correct`, a group
 * that is all right or all wrong is flat too.
 */
export function hasEqualRewards({ samples }: ScoredGroup, by: FlatBy): boolean {
  const alike = samples.every(({ correct }) => correct === samples[0].correct);
  return (by === 'correct' && alike) || samples.every(({ advantage }) => advantage === 0);
}

export interface GroupDraw {
  prompts: readonly GroupPrompt[];
  settings: GrpoSettings;
  /** Identifies the random draw. */
  stream: (string | number)[];
}

/** Samples `settings.group` completions per prompt, scores them, and computes advantages. */
export async function sampleGroups(
  context: Context,
  student: Student,
  { prompts, settings, stream }: GroupDraw,
): Promise<{ groups: ScoredGroup[]; generatedTokens: number }> {
  const { tokenizer, experiment, notify, signal } = context;
  const { completions } = await student.sample(
    prompts.map((one) => one.prompt),
    {
      sampling: settings.sampling,
      maxNewTokens: settings.maxNewTokens,
      eosIds: tokenizer.eosIds,
      seed: experiment.seed,
      stream,
      groupSize: settings.group,
      maxRows: rowsAtOnce(settings),
      precision: settings.sampling.precision,
      signal,
    },
  );
  const drawn = prompts.map((one, p) => {
    const { problem, chain, teacherTokens } = context.train[one.row];
    const asked: RewardInput['problem'] = {
      question: problem.question,
      answer: problem.answer,
      teacher: chain ?? undefined,
      teacherTokens: teacherTokens ? teacherTokens.length - 1 : undefined,
      completesSteps: showsSteps(tokenizer.decode(one.prompt)),
    };
    return completions.slice(p * settings.group, (p + 1) * settings.group).map((completion) => {
      const bare = withoutEnd(completion);
      const text = tokenizer.decode(bare);
      const { tokens, logProbs, finished } = completion;
      const { answer, correct } = judge(text, problem.answer);
      const input: RewardInput = { problem: asked, completion: { text, tokens: bare, finished } };
      return { input, sample: { tokens, logProbs, finished, text, answer, correct: correct && finished } };
    });
  });
  const inputs = drawn.map((group) => group.map(({ input }) => input));
  const scores = await scoreGroups(settings.reward, inputs, context.code);
  const failed = new Map<string, string>();
  for (const { failures } of scores.flat()) for (const [name, why] of Object.entries(failures)) failed.set(name, why);
  const groups = prompts.map((one, p): ScoredGroup => {
    const samples = drawn[p].map(({ sample }, i) => ({ ...sample, score: scores[p][i], advantage: 0 }));
    return { ...one, lesson: context.train[one.row], samples };
  });
  for (const [name, why] of failed)
    note(notify, `reward component ${name} failed and did not count: ${why}`, 'warning');
  assignAdvantages(groups, settings);
  const generatedTokens = completions.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return { groups, generatedTokens };
}

function assignAdvantages(groups: ScoredGroup[], { scale }: GrpoSettings): void {
  const rewards = groups.map(({ samples }) => samples.map(({ score }) => score.total ?? Number.NaN));
  const advantages = groupAdvantages(rewards, scale);
  for (const [p, { samples }] of groups.entries())
    for (const [i, one] of samples.entries()) one.advantage = advantages[p][i];
}

/** The groups as input of the loss. */
export function episodes(groups: readonly ScoredGroup[], maskTruncated: boolean): Episode[] {
  return groups.flatMap(({ prompt, samples }) =>
    samples.map(({ tokens, logProbs, advantage, finished }) => ({
      prompt,
      completion: tokens,
      logProbs,
      advantage,
      masked: maskTruncated && !finished,
    })),
  );
}

/** Metrics of an update's samples. They have TRL's meanings when groups are flat by their rewards. */
export function measureGroups(groups: readonly ScoredGroup[], flatBy: FlatBy = 'reward') {
  const all = groups.flatMap(({ samples }) => samples);
  const lengths = (of: readonly ScoredSample[]) => mean(of.map(({ tokens }) => tokens.length));
  const right = all.filter(({ correct }) => correct);
  const wrong = all.filter(({ correct }) => !correct);
  const parts: Record<string, number> = {};
  for (const name of new Set(all.flatMap(({ score }) => Object.keys(score.parts)))) {
    const values = all
      .map(({ score }) => score.parts[name])
      .filter((value): value is number => value !== null && value !== undefined);
    if (values.length > 0) parts[name] = mean(values);
  }
  const rewards = all.map(({ score }) => score.total).filter((total): total is number => total !== null);
  const share = (test: (group: ScoredGroup) => boolean) => mean(groups.map((group) => Number(test(group))));
  return {
    reward: mean(rewards),
    rewardStd: deviation(rewards),
    parts,
    accuracy: mean(all.map(({ correct }) => Number(correct))),
    lengthMean: lengths(all),
    // Without completions there is no mean length, so it is absent and not 0.
    ...(right.length > 0 && { lengthCorrect: lengths(right) }),
    ...(wrong.length > 0 && { lengthWrong: lengths(wrong) }),
    truncated: mean(all.map(({ finished }) => Number(!finished))),
    flatGroups: share((group) => hasEqualRewards(group, flatBy)),
    allCorrect: share(({ samples }) => samples.every(({ correct }) => correct)),
    allWrong: share(({ samples }) => samples.every(({ correct }) => !correct)),
  };
}

/**
 * Every completion of an update as a record of rollouts/<stage>/<step>.jsonl, with token measurements where they are
 * recorded.
 */
export function rolloutRecords(
  context: Context,
  groups: readonly ScoredGroup[],
  measured: TokenMeasures | null,
): Omit<RolloutRecord, 'seq' | 'stage' | 'step'>[] {
  const { tokenizer } = context;
  let row = 0;
  return groups.flatMap(({ lesson, prompt, samples }, group) => {
    // With its special tokens: the built-in student's [MASK] is one.
    const promptText = tokenizer.tokenTexts(prompt).join('');
    return samples.map((one, index) => ({
      problemId: lesson.problem.id,
      group,
      sample: index,
      prompt: promptText,
      tokens: one.tokens,
      tokenTexts: tokenizer.tokenTexts(one.tokens),
      logProbs: Array.from(one.logProbs),
      ...(measured && tokenMeasuresOf(measured, row++)),
      reward: one.score.total,
      parts: one.score.parts,
      advantage: one.advantage,
      finished: one.finished,
      answer: one.answer,
      correct: one.correct,
      teacherTokens: lesson.teacherTokens ? lesson.teacherTokens.length - 1 : undefined,
    }));
  });
}

function tokenMeasuresOf({ entropy, refLogProbs }: TokenMeasures, row: number) {
  return {
    ...(entropy && { entropy: Array.from(entropy[row]) }),
    ...(refLogProbs && { refLogProbs: Array.from(refLogProbs[row]) }),
  };
}
