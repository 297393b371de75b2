/** All groups of training settings in an experiment. */
import type { Experiment, ParsedExperiment } from './experiment';

/** The settings that engines may lack; a baseline need not repeat those of its stage. */
export interface TrainingGroup {
  weightDecay?: number;
  maxGradNorm?: number;
  dropout?: number;
  sampling?: { temperature: number; minP: number; precision: string };
}

/** With their paths in the file; groups that are off are omitted. */
export function trainingGroups({
  stages: { reconstruct, complete, rewrite },
  baselines,
}: Pick<ParsedExperiment, 'stages' | 'baselines'> | Pick<Experiment, 'stages' | 'baselines'>) {
  const groups: [string[], TrainingGroup | false][] = [
    [['stages', 'reconstruct'], reconstruct],
    [['stages', 'complete'], complete],
    [['stages', 'rewrite'], rewrite],
    [['stages', 'rewrite', 'internalise'], rewrite ? rewrite.internalise : false],
    ...Object.entries(baselines).map(([name, settings]): [string[], TrainingGroup | false] => [
      ['baselines', name],
      settings,
    ]),
  ];
  return groups.flatMap(([path, settings]) => (settings ? [{ path, settings }] : []));
}
