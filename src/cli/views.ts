/** What the student sees of one problem in each stage. */
import { completionExercise, type MaskRatio, reconstructionExercise } from '../chain/mask';
import { completePrompt, plainPrompt, reconstructPrompt, rewritePrompt } from '../chain/prompts';
import type { Exercise } from '../chain/types';
import type { CompleteSettings, Experiment, ReconstructSettings, RewriteSettings } from '../config/experiment';
import type { trainedStages } from '../curriculum/adjust';
import type { Lesson } from '../curriculum/lessons';
import type { Tokenizer } from '../model/tokenizer';
import { Random } from '../random';
import { percent } from './format';

export type TrainedStage = (typeof trainedStages)[number];

export interface View {
  stage: TrainedStage;
  /** Which of a stage's views this is, such as a point of the mask schedule. */
  label: string;
  prompt: string;
  promptTokens: number;
  /** For each step shown in the prompt, its number from 1 in the teacher's chain. */
  order: number[];
  /** Numbers of the steps that are masked. */
  masked: number[];
  /** What is learned from; null: the student samples, and the reward decides. */
  target: string | null;
  /** With the end token. */
  targetTokens: number | null;
  /** Name of the reward that decides. */
  reward: string | null;
}

export interface PreviewedProblem {
  id: string;
  question: string;
  answer: string;
  /** Steps of the teacher's chain; 0 without one. */
  steps: number;
  /** Length of the teacher's chain in the student's tokens, without the end token. */
  teacherTokens: number | null;
  views: View[];
}

/** The views of a problem; none for a stage that is off, or that the problem, without a teacher chain, has no part in. */
export function viewsOf(
  lesson: Lesson,
  { stages, seed }: Experiment,
  tokenizer: Tokenizer,
  wanted: readonly TrainedStage[],
): View[] {
  const { problem, chain } = lesson;
  const draw = (stage: TrainedStage, ...counters: number[]) =>
    new Random(seed, 'preview', problem.id, stage, ...counters);
  const view = (
    stage: TrainedStage,
    label: string,
    prompt: string,
    exercise: Exercise | null,
    target: string | null = null,
  ): View => ({
    stage,
    label,
    prompt,
    promptTokens: tokenizer.encodePrompt(prompt).length,
    order: exercise?.order.map((index) => index + 1) ?? [],
    masked: exercise?.masked.map((index) => index + 1) ?? [],
    target,
    targetTokens: target === null ? null : lesson.teacherTokens!.length,
    reward: stage === 'reconstruct' ? null : rewardOf(stages[stage]),
  });
  const views: Record<TrainedStage, () => View[]> = {
    reconstruct: () => {
      if (!stages.reconstruct || !chain) return [];
      const exercise = reconstructionExercise(chain, stages.reconstruct, draw('reconstruct'));
      const prompt = reconstructPrompt(problem.question, exercise);
      return [view('reconstruct', reconstructLabel(stages.reconstruct), prompt, exercise, lesson.teacherText)];
    },
    complete: () => {
      if (!stages.complete) return [];
      if (!chain)
        return [view('complete', 'no teacher chain: the plain question', plainPrompt(problem.question), null)];
      return scheduleOf(stages.complete).map(({ ratio, label }, i) => {
        const exercise = completionExercise(chain, ratio, draw('complete', i));
        return view('complete', label, completePrompt(problem.question, exercise), exercise);
      });
    },
    rewrite: () => {
      if (!stages.rewrite || !chain) return [];
      const { hideAnswer } = stages.rewrite;
      const prompt = rewritePrompt(problem.question, chain, { hideAnswer });
      return [view('rewrite', `if it is a failure${hideAnswer ? '; the answer is hidden' : ''}`, prompt, null)];
    },
  };
  return wanted.flatMap((stage) => views[stage]());
}

const rewardOf = (stage: CompleteSettings | RewriteSettings | false) =>
  stage ? (stage.reward.name ?? 'unnamed') : null;

function reconstructLabel({ maskProbability, maskSteps, shuffleProbability, mixPlain }: ReconstructSettings): string {
  const parts = [
    `${maskSteps} masked with p ${maskProbability}`,
    `shuffled with p ${shuffleProbability}`,
    ...(mixPlain > 0 ? [`${percent(mixPlain, 0)} of the examples are the plain question instead`] : []),
  ];
  return parts.join(', ');
}

/** The points of the mask schedule, equal neighbours as one, with the updates at which each holds. */
function scheduleOf({ maskSchedule, updates }: CompleteSettings): { ratio: MaskRatio; label: string }[] {
  if (maskSchedule === 'bridge') return [{ ratio: { preset: 'bridge' }, label: `as BRIDGE, all ${updates} updates` }];
  const points: { ratio: number; from: number; to: number }[] = [];
  maskSchedule.forEach((ratio, i) => {
    // As maskRatioAt has it: a part begins with the first update whose progress is in it.
    const from = Math.ceil((i * updates) / maskSchedule.length);
    const to = Math.ceil(((i + 1) * updates) / maskSchedule.length);
    const last = points.at(-1);
    if (last?.ratio === ratio) last.to = to;
    else if (to > from) points.push({ ratio, from, to });
  });
  return points.map(({ ratio, from, to }) => ({
    ratio,
    label: `${ratio >= 1 ? 'the plain question' : `${percent(ratio, 0)} masked`}, ${to - from === 1 ? `update ${to}` : `updates ${from + 1} to ${to}`}`,
  }));
}
