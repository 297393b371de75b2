/** The student's input for one problem in each stage, with its chain masked and shuffled. */
import { chainAs } from '../chain/concise';
import { completionExercise, type MaskRatio, reconstructionExercise } from '../chain/mask';
import { completePrompt, plainPrompt, reconstructPrompt, renderChain, rewritePrompt } from '../chain/prompts';
import type { Chain, Exercise } from '../chain/types';
import type { CompleteSettings, Experiment, ReconstructSettings, RewriteSettings } from '../config/experiment';
import { Random } from '../random';
import type { TrainedStage } from '../stages';
import { percent } from '../words';
import type { Problem } from './types';

export interface PromptView {
  stage: TrainedStage;
  /** The variant within a stage, such as a point of the mask schedule. */
  label: string;
  prompt: string;
  /** For each step in the prompt, its number (from 1) in the teacher's chain. */
  order: number[];
  /** Numbers of the masked steps. */
  masked: number[];
  /** The target chain, and its text; null if the student samples and a reward scores it. */
  taught: Chain | null;
  target: string | null;
  /** Name of that reward. */
  reward: string | null;
}

/**
 * The views of a problem with the teacher's `chain`; none for a stage that is off, or that does not use problems
 * without a teacher chain. Random choices depend on the experiment's seed and on `drawn`.
 */
export function viewsOf(
  { problem, chain }: { problem: Problem; chain: Chain | null },
  { stages, seed }: Experiment,
  wanted: readonly TrainedStage[],
  drawn = 0,
): PromptView[] {
  const draw = (stage: TrainedStage, ...counters: number[]) =>
    new Random(seed, 'preview', problem.id, stage, ...counters, ...(drawn > 0 ? ['drawn', drawn] : []));
  type Shown = Pick<PromptView, 'label' | 'prompt'> & { exercise?: Exercise | null; taught?: Chain };
  const view = (stage: TrainedStage, { label, prompt, exercise, taught }: Shown): PromptView => ({
    stage,
    label,
    prompt,
    order: exercise?.order.map((index) => index + 1) ?? [],
    masked: exercise?.masked.map((index) => index + 1) ?? [],
    taught: taught ?? null,
    target: taught ? renderChain(taught) : null,
    reward: stage === 'reconstruct' ? null : rewardOf(stages[stage]),
  });
  const views: Record<TrainedStage, () => PromptView[]> = {
    reconstruct: () => {
      if (!stages.reconstruct || !chain) return [];
      const taught = chainAs(stages.reconstruct.chains, chain);
      const exercise = reconstructionExercise(taught, stages.reconstruct, draw('reconstruct'));
      const prompt = reconstructPrompt(problem.question, exercise);
      const label = reconstructLabel(stages.reconstruct);
      return [view('reconstruct', { label, prompt, exercise, taught })];
    },
    complete: () => {
      if (!stages.complete) return [];
      if (!chain)
        return [
          view('complete', {
            label: 'no teacher chain: the plain question',
            prompt: plainPrompt(problem.question),
          }),
        ];
      return scheduleOf(stages.complete).map(({ ratio, label }, i) => {
        const exercise = completionExercise(chain, ratio, draw('complete', i));
        return view('complete', { label, prompt: completePrompt(problem.question, exercise), exercise });
      });
    },
    rewrite: () => {
      if (!stages.rewrite || !chain) return [];
      const { hideAnswer } = stages.rewrite;
      const prompt = rewritePrompt(problem.question, chain, { hideAnswer });
      return [view('rewrite', { label: `if it is a failure${hideAnswer ? '; the answer is hidden' : ''}`, prompt })];
    },
  };
  return wanted.flatMap((stage) => views[stage]());
}

const rewardOf = (stage: CompleteSettings | RewriteSettings | false) =>
  stage ? (stage.reward.name ?? 'unnamed') : null;

function reconstructLabel(settings: ReconstructSettings): string {
  const { chains, maskProbability, maskSteps, shuffleProbability, mixPlain } = settings;
  const parts = [
    ...(chains === 'concise' ? ['the chain cut to the sentences that compute'] : []),
    `${maskSteps} masked with p ${maskProbability}`,
    `shuffled with p ${shuffleProbability}`,
    ...(mixPlain > 0 ? [`${percent(mixPlain, 0)} of the examples are the plain question instead`] : []),
  ];
  return parts.join(', ');
}

/** The points of the mask schedule, with equal neighbours merged, and the updates at which each holds. */
function scheduleOf({ maskSchedule, updates }: CompleteSettings): { ratio: MaskRatio; label: string }[] {
  if (maskSchedule === 'bridge') return [{ ratio: { preset: 'bridge' }, label: `as BRIDGE, all ${updates} updates` }];
  const points: { ratio: number; from: number; to: number }[] = [];
  maskSchedule.forEach((ratio, i) => {
    // As in maskRatioAt: a part begins with the first update whose progress falls into it.
    const from = Math.ceil((i * updates) / maskSchedule.length);
    const to = Math.ceil(((i + 1) * updates) / maskSchedule.length);
    const last = points.at(-1);
    if (last?.ratio === ratio) last.to = to;
    else if (to > from) points.push({ ratio, from, to });
  });
  return points.map(({ ratio, from, to }) => ({
    ratio,
    label:
      `${ratio >= 1 ? 'the plain question' : `${percent(ratio, 0)} masked`}, ` +
      `${to - from === 1 ? `update ${to}` : `updates ${from + 1} to ${to}`}`,
  }));
}
