/** Nodes of the Runs tree: experiment > run > stage > checkpoints, evaluations, failures. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { UserError } from '../../errors';
import { evaluationNames, type RunListing } from '../../runs/reading';
import type { CheckpointEntry } from '../../runs/records';
import { type StageName, stageNames } from '../../stages';
import type { ExperimentFile } from '../workspace/experiment-file';
import { checkpointPath, type RunCache } from '../workspace/run-cache';

/**
 * A node holds only references; what it shows is read when it is drawn. `run` is a run's folder and `checkpoint` a
 * checkpoint's, so that commands accept nodes in place of plain arguments.
 */
export type RunsNode = { id: string } /** `imported`: records from elsewhere, without an experiment. */ & (
  | { kind: 'experiment'; runs: string; name: string; experiment?: string; imported?: boolean }
  | { kind: 'run'; run: string }
  | { kind: 'stage'; run: string; stage: StageName }
  | { kind: 'checkpoint'; run: string; stage: StageName; checkpoint: string }
  | { kind: 'evaluation'; run: string; evaluation: string; checkpoint?: string }
  | { kind: 'failures'; run: string }
  | { kind: 'problem'; run: string; problem: UserError }
  /** In place of runs, where there are none yet. */
  | { kind: 'hint'; experiment: string }
  /** In place of runs that are not shown yet. */
  | { kind: 'more'; above: string; count: number }
);
export type NodeOf<K extends RunsNode['kind']> = Extract<RunsNode, { kind: K }>;

/** The data that the tree is drawn from. */
export interface RunsSource {
  cache: RunCache;
  list(): readonly RunListing[];
  experiments(): ExperimentFile[];
}

/** Experiments by their newest run, then those never run. An experiment whose file is gone stays while it has runs. */
export function experimentNodes(source: RunsSource): NodeOf<'experiment'>[] {
  const files = source.experiments();
  const nodes = new Map<string, NodeOf<'experiment'>>();
  const add = (runs: string, name: string, run?: string) => {
    const id = `experiment ${runs} ${name}`;
    const file = files.find((one) => one.runs === runs && one.name === name);
    if (nodes.has(id)) return;
    const imported = file === undefined && run !== undefined && source.cache.imported(run);
    nodes.set(id, { id, kind: 'experiment', runs, name, experiment: file?.file, ...(imported && { imported }) });
  };
  for (const listing of source.list()) add(dirname(listing.folder), listingName(listing), listing.folder);
  for (const { runs, name } of files) add(runs, name);
  return [...nodes.values()];
}

/** An unreadable run is placed by the name of its folder. */
export function listingName(listing: RunListing): string {
  return 'run' in listing ? listing.run.record.name : listing.id.replace(/^\d{8}-\d{6}-/, '').replace(/-\d+$/, '');
}

/** The newest `limit` runs of an experiment, and a node for older ones. */
export function runNodes(
  source: RunsSource,
  { id, runs, name, experiment }: NodeOf<'experiment'>,
  limit = Number.POSITIVE_INFINITY,
): RunsNode[] {
  const all = source.list().filter((listing) => dirname(listing.folder) === runs && listingName(listing) === name);
  if (all.length === 0 && experiment) return [{ id: `hint ${experiment}`, kind: 'hint', experiment }];
  const older = all.length - limit;
  return [
    ...all.slice(0, limit).map(({ folder }) => runNode(folder)),
    ...(older > 0 ? [{ id: `more ${id}`, kind: 'more' as const, above: id, count: older }] : []),
  ];
}

export const runNode = (run: string): NodeOf<'run'> => ({ id: `run ${run}`, kind: 'run', run });

/** The stages of a run, and what belongs to none: failures of an import, evaluations with names of their own. */
export function stageNodes({ cache }: RunsSource, listing: RunListing): RunsNode[] {
  const run = listing.folder;
  if ('problem' in listing) return [problemNode(run, listing.problem)];
  const { record } = listing.run;
  const summary = cache.summary(run);
  const tested = summary.value?.map(({ stage }) => stage) ?? [];
  const seen = new Set<StageName>([...tested, ...record.checkpoints.map(({ stage }) => stage)]);
  if (record.stage) seen.add(record.stage);
  const stages = stageNames.filter((stage) => seen.has(stage));
  return [
    ...(summary.problem ? [problemNode(run, summary.problem)] : []),
    ...stages.map((stage): RunsNode => ({ id: `stage ${run} ${stage}`, kind: 'stage', run, stage })),
    ...evaluationsOf(run).filter(({ evaluation }) => !stages.some((stage) => belongs(evaluation, stage))),
    ...(stages.includes('rewrite') ? [] : failureNodes(cache, run)),
  ];
}

export function partNodes({ cache }: RunsSource, listing: RunListing, stage: StageName): RunsNode[] {
  if ('problem' in listing) return [];
  const run = listing.folder;
  const checkpoints = listing.run.record.checkpoints.filter((entry) => entry.stage === stage);
  return [
    ...checkpoints.map((entry) => checkpointNode(run, entry)),
    ...evaluationsOf(run).filter(({ evaluation }) => belongs(evaluation, stage)),
    ...(stage === 'rewrite' ? failureNodes(cache, run) : []),
  ];
}

function checkpointNode(run: string, { name, stage }: CheckpointEntry): NodeOf<'checkpoint'> {
  const checkpoint = checkpointPath(run, name);
  return { id: `checkpoint ${checkpoint}`, kind: 'checkpoint', run, stage, checkpoint };
}

function evaluationsOf(run: string): NodeOf<'evaluation'>[] {
  return evaluationNames(run).map((evaluation) => {
    const checkpoint = checkpointPath(run, evaluation);
    return {
      id: `evaluation ${run} ${evaluation}`,
      kind: 'evaluation',
      run,
      evaluation,
      ...(existsSync(checkpoint) && { checkpoint }),
    };
  });
}

/** `complete-110` and `complete-110-mine` are evaluations of Stage 2; `base` is one of the initial student. */
const belongs = (evaluation: string, stage: StageName) => evaluation === stage || evaluation.startsWith(`${stage}-`);

function failureNodes(cache: RunCache, run: string): RunsNode[] {
  return cache.failureCount(run) > 0 ? [{ id: `failures ${run}`, kind: 'failures', run }] : [];
}

const problemNode = (run: string, problem: UserError): NodeOf<'problem'> => ({
  id: `problem ${run}`,
  kind: 'problem',
  run,
  problem,
});

export function parentOf(source: RunsSource, node: RunsNode): RunsNode | undefined {
  if (node.kind === 'experiment') return undefined;
  if (node.kind === 'hint') return experimentNodes(source).find(({ experiment }) => experiment === node.experiment);
  if (node.kind === 'more') return experimentNodes(source).find(({ id }) => id === node.above);
  const listing = source.cache.find(node.run);
  if (node.kind === 'run')
    return experimentNodes(source).find(
      ({ runs, name }) => runs === dirname(node.run) && name === listingName(listing),
    );
  const stageOfFailures = node.kind === 'failures' ? 'rewrite' : undefined;
  const stage = node.kind === 'checkpoint' ? node.stage : stageOfFailures;
  const above = stage && stageNodes(source, listing).find((one) => one.kind === 'stage' && one.stage === stage);
  return above ?? runNode(node.run);
}
