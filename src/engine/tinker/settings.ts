/** Settings that a server of the Tinker API lacks or, by its tests, ignores. Each is refused by its name. */
import type { Experiment } from '../../config/experiment';
import { trainingGroups } from '../../config/training-groups';
import type { SampleOptions } from '../../engine-data/sampling';
import type { OptimizerSettings } from '../../engine-data/training';
import { UserError } from '../../errors';
import type { Probed } from './probe';

/** Checks before a run that need the server's probe; the others are in config/engine-findings.ts. @throws UserError */
export function checkExperiment(experiment: Experiment, probed: Probed): void {
  for (const { path, settings } of trainingGroups(experiment))
    checkOptimizer({ weightDecay: 0, maxGradNorm: 0, ...settings }, probed, `${path.join('.')}.`);
  if (experiment.evaluation.temperature === 0) checkGreedy(probed, 'evaluation.temperature');
}

/** @throws UserError */
export function checkStep(settings: OptimizerSettings & { dropout: number }, probed: Probed): void {
  if (settings.dropout > 0) refuse('dropout', 'a Tinker server has no such setting', '0');
  checkOptimizer(settings, probed);
}

/** @throws UserError */
export function checkSampling({ sampling }: SampleOptions, probed: Probed): void {
  if (sampling.minP > 0) refuse('sampling.minP', 'a Tinker server has no such setting', '0');
  if (sampling.temperature === 0) checkGreedy(probed, 'temperature');
}

/** @throws UserError */
export function checkTemperature(temperature: number): void {
  if (temperature !== 1)
    refuse('sampling.temperature', 'a Tinker server reports and trains log-probs at temperature 1', '1');
}

function checkOptimizer(
  { weightDecay, maxGradNorm }: Pick<OptimizerSettings, 'weightDecay' | 'maxGradNorm'>,
  probed: Probed,
  place = '',
): void {
  if (weightDecay > 0 && !probed.weightDecay) refuse(`${place}weightDecay`, 'this server ignores it', '0');
  if (maxGradNorm > 0 && !probed.clipping) refuse(`${place}maxGradNorm`, 'this server ignores it', '0');
}

function checkGreedy({ greedy }: Probed, setting: string): void {
  if (!greedy) refuse(setting, 'this server also samples at temperature 0', 'above 0');
}

function refuse(setting: string, why: string, wanted: string): never {
  throw new UserError(`${setting} is not supported: ${why}`, {
    code: 'config',
    remedy: `Set ${setting} to ${wanted}.`,
  });
}
