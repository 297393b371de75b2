import type { DashboardProgress } from '../../protocol/dashboard';
import { isBaseline, sampledAs, stageNames } from '../../stages';
import { meanUpdateTime } from '../shared/update-time';
import { phaseRanges, type UpdateColumns } from './columns';

/** The progress of a run's last phase, and the time left if the run continues; undefined before the first update. */
export function progressOf(columns: UpdateColumns, config: unknown): DashboardProgress | undefined {
  const last = phaseRanges(columns).at(-1);
  if (!last) return undefined;
  const stage = stageNames[last.stage];
  const phase = columns.phases[last.phase];
  const done = last.to - last.from;
  const planned = plannedUpdates(config, stage, phase);
  const pace = meanUpdateTime(Array.from(columns.time.slice(last.from, last.to)));
  return {
    stage,
    phase,
    done,
    ...(planned === undefined ? {} : { planned }),
    ...(planned === undefined || pace === undefined
      ? {}
      : { secondsLeft: (Math.max(0, planned - done) * pace) / 1000 }),
  };
}

/** The planned updates of a phase in config.json; undefined for configs of another shape. */
export function plannedUpdates(config: unknown, stage: string, phase: string): number | undefined {
  const path = stage === 'training' ? ['imported', 'updates'] : experimentPath(stage, phase);
  let value: unknown = config;
  for (const key of path) value = (value as Record<string, unknown> | null | undefined)?.[key];
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function experimentPath(stage: string, phase: string): string[] {
  const home = isBaseline(stage) ? 'baselines' : 'stages';
  // A baseline's samples before training are recorded under the stage whose sampler it uses.
  const sampling = phase === 'sample' && isBaseline(stage) && sampledAs[stage];
  const within = phase === stage ? [] : [phase];
  return ['experiment', ...(sampling ? ['stages', sampling] : [home, stage, ...within]), 'updates'];
}
