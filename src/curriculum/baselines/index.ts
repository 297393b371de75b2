import type { Experiment } from '../../config/experiment';
import type { Student } from '../../engine/port';
import type { BaselineName } from '../../stages';
import type { Context } from '../context';
import { grpo } from './grpo';
import { rft } from './rft';
import { sft, sftConcise } from './sft';

type BaselineSettings<K extends BaselineName> = Exclude<Experiment['baselines'][K], false>;
/**
 * Trains `student`, the base student, in place. Returns the selected checkpoint; null if there was nothing to train on.
 */
type Train<K extends BaselineName> = (
  context: Context,
  student: Student,
  settings: BaselineSettings<K>,
) => Promise<string | null>;

const trainers: { [K in BaselineName]: Train<K> } = { sft, sftConcise, rft, grpo };

/** The trainer of the baseline; null if the experiment does not have it. */
export function baselineOf<K extends BaselineName>(
  context: Context,
  name: K,
): ((student: Student) => Promise<string | null>) | null {
  const settings = context.experiment.baselines[name];
  if (!settings) return null;
  return (student) => trainers[name](context, student, settings as BaselineSettings<K>);
}
