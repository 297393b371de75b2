/** Recorded completions of the workspace's runs, to be scored with a reward in development. */
import type { DataSource } from '../../config/experiment';
import type { RewardConfig } from '../../config/reward';
import { UserError } from '../../errors';
import { type Scorable, toScorables } from '../../rewards/recorded';
import { type RunListing, readConfig, readRollouts, rolloutSteps } from '../../runs/reading';
import type { RolloutRecord } from '../../runs/records';
import { type StageName, sampledAs } from '../../stages';
import { loadNamedData } from '../workspace/named-files';

/** The last `updates` updates of a stage. */
export interface RolloutChoice {
  /** The folder of the run. */
  run: string;
  stage: StageName;
  updates: number;
}

export interface RecordedRollouts extends RolloutChoice {
  /** Updates whose rollouts were read, oldest first. */
  steps: number[];
  completions: Scorable<RolloutRecord>[];
}

/** Several updates, as one has few problems; few enough to score them while typing. */
export const defaultUpdates = 5;

/** The needed part of a run's config.json. */
interface RunConfigPart {
  experiment?: {
    data?: { train?: DataSource };
    stages?: Partial<Record<StageName, { reward?: RewardConfig } | false>>;
  };
}

/** Stages of a run with rollouts, in training order, with the number of updates. */
export function stagesWithRollouts(run: string): { stage: StageName; updates: number }[] {
  const counts = new Map<StageName, number>();
  for (const { stage } of rolloutSteps(run)) counts.set(stage, (counts.get(stage) ?? 0) + 1);
  return [...counts].map(([stage, updates]) => ({ stage, updates }));
}

/**
 * The newest run with rollouts, and its stage: the one trained with a reward of this name, else the last.
 * Undefined when no run has rollouts.
 */
export function newestRollouts(listings: readonly RunListing[], reward: string | undefined): RolloutChoice | undefined {
  for (const { folder, ...listing } of listings) {
    if ('problem' in listing) continue;
    const stages = stagesWithRollouts(folder);
    const last = stages.at(-1);
    if (!last) continue;
    const named = stages.find(({ stage }) => reward !== undefined && rewardName(folder, stage) === reward);
    return { run: folder, stage: (named ?? last).stage, updates: defaultUpdates };
  }
  return undefined;
}

function rewardName(run: string, stage: StageName): string | undefined {
  const settings = (readConfig(run) as RunConfigPart).experiment?.stages?.[sampledAs[stage] ?? stage];
  return settings ? settings.reward?.name : undefined;
}

/**
 * Reads the completions with their problems. @throws UserError when rollouts are gone, or data is gone or has changed
 */
export function readCompletions(choice: RolloutChoice): RecordedRollouts {
  const { run, stage, updates } = choice;
  const steps = rolloutSteps(run)
    .filter((one) => one.stage === stage)
    .slice(-updates)
    .map(({ step }) => step);
  const rollouts = steps.flatMap((step) => readRollouts(run, stage, step));
  if (rollouts.length === 0)
    throw new UserError('the run has no rollouts of this stage', {
      file: run,
      code: 'run',
      remedy: 'Stage 2 produces rollouts: choose another run.',
    });
  const source = (readConfig(run) as RunConfigPart).experiment?.data?.train;
  if (!source)
    throw new UserError('config.json does not say what data the run was trained on', { file: run, code: 'run' });
  const { problems } = loadNamedData(source, '.', 'train');
  const missing = { file: run, remedy: 'Restore the data, or choose another run.' };
  return { ...choice, steps, completions: toScorables(rollouts, problems, missing) };
}
