import type { GrpoBaselineSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import type { Context } from '../context';
import { plainPrompts } from '../stages/complete';
import { trainGrpo } from '../training/grpo-phase';

/**
 * Plain GRPO: Stage 2's sampling and rewards, from the base student and the plain question, without masks or replay.
 */
export function grpo(context: Context, student: Student, own: GrpoBaselineSettings): Promise<string> {
  const { complete } = context.experiment.stages;
  if (!complete) throw new Error('baselines.grpo without stages.complete'); // the config check finds this error first
  const settings = { ...complete, ...own, policyWeight: 1, replay: { own: 0, teacher: 0, weight: 0 } };
  return trainGrpo(context, student, {
    stage: 'grpo',
    phase: 'grpo',
    settings,
    reference: null,
    prompts: (update, draw) => plainPrompts(context, settings, update, draw),
    replay: () => [],
  });
}
