/** The students that a stage of an experiment can start from. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RunListing } from '../../runs/reading';
import type { StageRow } from '../../runs/records';
import type { StageName, TrainedStage } from '../../stages';
import { startAt, studentTitle } from '../../start';
import type { RunCache } from '../workspace/run-cache';

export interface StartingPoint {
  /** Absolute; undefined for the experiment's own student. */
  checkpoint?: string;
  name: string;
  /** The run that it belongs to. */
  run?: string;
  stage?: StageName;
  /** Its test result, if it was tested. */
  row?: StageRow;
}

/** The stages that a student may come from, best first. */
const startingStages: Record<TrainedStage, readonly StageName[]> = {
  reconstruct: ['base'],
  complete: ['reconstruct', 'sft'],
  rewrite: ['complete', 'reconstruct', 'sft'],
};

/**
 * Checkpoints of the experiment's runs, newest run first: those selected by the previous stage first, then the other
 * selected ones, then the rest. The first is the most likely choice.
 */
export function startingPoints(
  stage: TrainedStage,
  experiment: { runs: string; name: string; student?: string },
  listings: readonly RunListing[],
  cache: RunCache,
): StartingPoint[] {
  const points = listings.flatMap((listing): StartingPoint[] => {
    if (!('run' in listing) || dirname(listing.folder) !== experiment.runs) return [];
    if (listing.run.record.name !== experiment.name) return [];
    return cache
      .checkpoints(listing)
      .filter(({ folder }) => existsSync(folder))
      .map(({ folder, ...checkpoint }) => ({ checkpoint: folder, run: listing.folder, ...checkpoint }));
  });
  const own: StartingPoint = { name: studentTitle('base', startAt(experiment.student ?? '')) };
  const rank = ({ stage: of, row }: StartingPoint) => {
    const place = of ? startingStages[stage].indexOf(of) : -1;
    if (row && place === 0) return 0;
    if (row && place > 0) return 2;
    return row ? 3 : 4;
  };
  const ordered = points.map((point, i) => ({ point, i })).sort((a, b) => rank(a.point) - rank(b.point) || a.i - b.i);
  const recommended = ordered.filter(({ point }) => rank(point) === 0);
  const rest = ordered.filter(({ point }) => rank(point) > 0);
  return [...recommended.map(({ point }) => point), own, ...rest.map(({ point }) => point)];
}
