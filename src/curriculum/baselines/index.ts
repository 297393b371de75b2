import type { Experiment } from '../../config/experiment';
import type { Model } from '../../model/transformer';
import type { BaselineName } from '../../stages';
import type { Context } from '../context';
import { grpo } from './grpo';
import { rft } from './rft';
import { sft } from './sft';
import { sftConcise } from './sft-concise';

type Settings<K extends BaselineName> = Exclude<Experiment['baselines'][K], false>;
/** Trains `model`, a copy of the base student, in place. Returns the chosen checkpoint; null: there was nothing to learn from. */
type Train<K extends BaselineName> = (context: Context, model: Model, settings: Settings<K>) => Promise<string | null>;

const trainers: { [K in BaselineName]: Train<K> } = { sft, sftConcise, rft, grpo };

/** What trains the baseline; null where the experiment does without it. */
export function baselineOf<K extends BaselineName>(
  context: Context,
  name: K,
): ((model: Model) => Promise<string | null>) | null {
  const settings = context.experiment.baselines[name];
  if (!settings) return null;
  return (model) => trainers[name](context, model, settings as Settings<K>);
}
