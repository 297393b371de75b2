import type { GrpoBaselineSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import type { Context } from '../context';
import { trainGrpo } from '../grpo-phase';
import { rowsOfUpdate } from '../order';

/**
 * Plain GRPO: Stage 2's sampling and rewards, from the base student and the plain question, without masks or replay.
 */
export function grpo(context: Context, student: Student, own: GrpoBaselineSettings): Promise<string> {
  const { train, experiment } = context;
  const { complete } = experiment.stages;
  if (!complete) throw new Error('baselines.grpo without stages.complete'); // the config check finds this error first
  const settings = { ...complete, ...own, policyWeight: 1, replay: { own: 0, teacher: 0, weight: 0 } };
  return trainGrpo(context, student, {
    stage: 'grpo',
    phase: 'grpo',
    settings,
    tolerance: settings.tolerance,
    reference: null,
    policyWeight: settings.policyWeight,
    prompts: (update, draw) =>
      rowsOfUpdate(train.length, update + draw * settings.updates, {
        count: settings.prompts,
        seed: experiment.seed,
        salt: 'complete',
      }).map((row) => ({ row, prompt: train[row].prompt })),
    replay: () => [],
  });
}
