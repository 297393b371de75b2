/** Estimates the duration of a run from an earlier run of the experiment on this machine. */
import { dirname } from 'node:path';
import { parse } from 'jsonc-parser';
import { mergeQuick } from '../../config/quick';
import { isObject } from '../../json';
import { readSmallText } from '../../lines';
import { stageNames } from '../../stages';
import type { ExperimentFile } from '../workspace/experiment-file';
import { attempt } from '../workspace/file-cache';
import type { RunIndex } from '../workspace/run-index';

interface PastRuns {
  list(): ReturnType<RunIndex['list']>;
  cache: Pick<RunIndex['cache'], 'summary' | 'config'>;
}

/** Seconds of training with this budget; undefined until one run of the experiment has finished. */
export function estimatedSeconds(experiment: ExperimentFile, quick: boolean, { list, cache }: PastRuns) {
  const text = attempt(experiment.file, () => readSmallText(experiment.file)).value ?? '';
  const planned = updatesIn(experimentOf(text, quick));
  for (const listing of list()) {
    if (!('run' in listing) || dirname(listing.folder) !== experiment.runs) continue;
    const { record } = listing.run;
    if (record.name !== experiment.name || record.state !== 'finished') continue;
    const made = updatesIn((cache.config(listing.folder).value as { experiment?: unknown } | undefined)?.experiment);
    const rows = cache.summary(listing.folder).value ?? [];
    const trained = rows.filter(({ stage, wallSeconds }) => made[stage] && planned[stage] && wallSeconds > 0);
    const seconds = trained.reduce(
      (sum, { stage, wallSeconds }) => sum + wallSeconds * (planned[stage]! / made[stage]!),
      0,
    );
    if (seconds > 0) return seconds;
  }
  return undefined;
}

/** The experiment in a file, with its quick settings applied. */
function experimentOf(text: string, quick: boolean): unknown {
  const value: unknown = parse(text, [], { allowTrailingComma: true });
  return quick ? mergeQuick(value) : value;
}

/** The updates of each stage and baseline, summed over its phases. */
function updatesIn(experiment: unknown): Partial<Record<string, number>> {
  const { stages, baselines } = (isObject(experiment) ? experiment : {}) as Record<string, unknown>;
  const parts = { ...(isObject(baselines) && baselines), ...(isObject(stages) && stages) } as Record<string, unknown>;
  return Object.fromEntries(stageNames.map((stage) => [stage, updatesOf(parts[stage])]));
}

function updatesOf(part: unknown): number {
  if (!isObject(part)) return 0;
  const own = typeof part.updates === 'number' ? part.updates : 0;
  return own + updatesOf(part.internalise);
}
