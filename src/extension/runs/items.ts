/**
 * Appearance of the nodes of the Runs tree: texts, icon, state. No editor types, so it can be tested without VS Code.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { type RunListing, type ShownState, stateOf } from '../../runs/reading';
import type { StageRow } from '../../runs/records';
import { type StageName, shortStageTitles, stageIcons } from '../../stages';
import { studentLabel, testedName } from '../../start';
import { leftText, measuredParts, progressText, type RunProgress } from '../shared/progress';
import { accuracyText, ago, plural, shortTime, shortTokens, signed, stateTitles } from '../shared/words';
import type { RunCache } from '../workspace/run-cache';
import type { NodeOf, RunsNode } from './nodes';

export interface RunsItem {
  label: string;
  description?: string;
  /** A codicon and its theme colour. */
  icon: { id: string; color?: string };
  contextValue: string;
  /** Expanded at first, collapsed at first, or without children. */
  children: 'open' | 'closed' | 'none';
  /** For screen readers, where label and description read badly. */
  spoken?: string;
}

export interface ItemContext {
  cache: RunCache;
  /** Live progress of a run, from its host. */
  progress(run: string): RunProgress | undefined;
  /** Whether the node is the first of its kind; those expand by themselves. */
  newest: boolean;
  now: number;
  /** Whether the workspace is trusted; without trust nothing can run. */
  trusted: boolean;
}

export function itemOf(node: RunsNode, around: ItemContext): RunsItem {
  switch (node.kind) {
    case 'experiment':
      return experimentItem(node, around);
    case 'run':
      return runItem(around.cache.find(node.run), around);
    case 'stage':
      return stageItem(node, around);
    case 'checkpoint':
      return checkpointItem(node, around);
    case 'evaluation':
      return evaluationItem(node, around);
    case 'failures':
      return {
        label: 'Failures',
        description: plural(around.cache.failureCount(node.run), 'problem'),
        icon: { id: 'bug', color: 'list.warningForeground' },
        contextValue: 'failures',
        children: 'none',
      };
    case 'hint':
      return hintItem(around);
    case 'more':
      return {
        label: `Show ${plural(node.count, 'older run')}`,
        icon: { id: 'ellipsis' },
        contextValue: 'more',
        children: 'none',
      };
    case 'problem':
      return {
        label: node.problem.message,
        description: node.problem.remedy,
        icon: broken,
        contextValue: 'problem',
        children: 'none',
      };
  }
}

function hintItem({ trusted }: ItemContext): RunsItem {
  const shared = { label: 'No runs yet', contextValue: 'hint', children: 'none' } as const;
  if (!trusted)
    return {
      ...shared,
      description: 'Trust this workspace to run',
      icon: { id: 'shield' },
      spoken: 'No runs yet. Press Enter to manage workspace trust.',
    };
  return {
    ...shared,
    description: 'Run Quickly',
    icon: { id: 'run-all' },
    spoken: 'No runs yet. Press Enter to run the experiment quickly.',
  };
}

const broken = { id: 'error', color: 'list.errorForeground' };

function experimentItem({ name, experiment, imported }: NodeOf<'experiment'>, { newest }: ItemContext): RunsItem {
  const without = imported ? 'imported' : 'experiment file deleted';
  return {
    label: name,
    description: experiment ? undefined : without,
    icon: { id: 'beaker' },
    contextValue: experiment ? 'experiment' : 'experiment.gone',
    children: newest ? 'open' : 'closed',
  };
}

const stateIcons: Record<ShownState, RunsItem['icon']> = {
  created: { id: 'loading~spin' },
  running: { id: 'loading~spin', color: 'progressBar.background' },
  paused: { id: 'debug-pause', color: 'charts.yellow' },
  stopped: { id: 'debug-stop', color: 'charts.orange' },
  finished: { id: 'pass', color: 'testing.iconPassed' },
  failed: { id: 'error', color: 'testing.iconFailed' },
  interrupted: { id: 'warning', color: 'list.warningForeground' },
};

function runItem(listing: RunListing, { cache, progress, newest, now }: ItemContext): RunsItem {
  if ('problem' in listing)
    return {
      label: runIdTitle(listing.id, now),
      description: listing.problem.message,
      icon: broken,
      contextValue: 'run.unreadable',
      children: 'closed',
      spoken: `${listing.id}, unreadable: ${listing.problem.message}`,
    };
  const { record } = listing.run;
  const state = stateOf(listing.run);
  const { tags = [], starred } = cache.about(listing.folder);
  const label = `${starred ? '★ ' : ''}${runTitle(listing, cache, now)}`;
  const at = progress(listing.folder);
  const working = at && (state === 'running' || state === 'paused');
  const parts = [
    ...(working ? measuredParts(at) : resultParts(cache.summary(listing.folder).value ?? [])),
    state === 'finished' || (working && state === 'running') ? '' : stateTitles[state],
    ...(working ? [progressText(at), leftText(at)] : [stageAt(listing), ago(record.updated, now)]),
    ...tags.map((tag) => `#${tag}`),
  ];
  const description = parts.filter(Boolean).join(' · ');
  return {
    label,
    description,
    icon: stateIcons[state],
    contextValue: `run.${state}`,
    children: newest ? 'open' : 'closed',
    spoken: `Run ${label}, ${stateTitles[state]}${description ? `, ${description.replaceAll(' · ', ', ')}` : ''}`,
  };
}

/**
 * The id `20260205-140309-arithmetic` as `Feb 5 14:03`, as the experiment's name is shown above it. Other ids are kept.
 */
export function runIdTitle(id: string, now = Date.now()): string {
  const [, year, month, day, hour, minute, second, rest] =
    /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-(.+)$/.exec(id) ?? [];
  if (!year) return id;
  const again = /-(\d+)$/.exec(rest)?.[1];
  const startTime = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  if (Number.isNaN(Date.parse(startTime))) return id;
  const time = shortTime(startTime, now);
  return again ? `${time} (${again})` : time;
}

/** The run's name given by a person, else its start time. */
export const runTitle = ({ id, folder }: RunListing, cache: Pick<RunCache, 'about'>, now = Date.now()): string =>
  cache.about(folder).name ?? runIdTitle(id, now);

/** `arithmetic, Feb 5 14:03`: a run with the name of its experiment; the id of one that cannot be read. */
export const runName = (listing: RunListing, cache: Pick<RunCache, 'about'>): string =>
  'run' in listing ? `${listing.run.record.name}, ${runTitle(listing, cache)}` : listing.id;

/** `Feb 5 14:03 · 88.0 % · 95 tokens`: a run with its result, where there is room for one line. */
export const reachedText = (listing: RunListing, cache: RunCache): string =>
  [runTitle(listing, cache), ...resultParts(cache.summary(listing.folder).value ?? [])].join(' · ');

/** How far an unfinished run got. */
function stageAt(listing: RunListing): string {
  if (!('run' in listing) || listing.run.record.state === 'finished') return '';
  const { stage, step } = listing.run.record;
  return stage ? `${shortStageTitles[stage]}${step ? ` update ${step}` : ''}` : '';
}

/** The result of the last stage, compared with the initial student. */
export function resultParts(rows: readonly StageRow[]): string[] {
  const last = rows.at(-1);
  return last
    ? rowParts(
        last,
        rows.find(({ stage }) => stage === 'base'),
      )
    : [];
}

function rowParts(row: StageRow, base: StageRow | undefined): string[] {
  const compared = base && base !== row;
  const points = compared && `${signed(100 * (row.accuracy - base.accuracy))} points`;
  const shorter = compared && `${signed(100 * (row.meanTokens / base.meanTokens - 1), 0)} %`;
  return [accuracyText(row), `${shortTokens(row.meanTokens)}${compared ? ` (${points}, ${shorter})` : ''}`];
}

function stageParts(stage: StageName, rows: readonly StageRow[], at: RunProgress | undefined): string[] {
  if (at?.stage === stage) return [...measuredParts(at), `${at.update}/${at.updates}`, leftText(at)].filter(Boolean);
  const row = rows.find((one) => one.stage === stage);
  const base = rows.find((one) => one.stage === 'base');
  return row ? rowParts(row, base) : [];
}

function stageItem({ run, stage }: NodeOf<'stage'>, { cache, progress }: ItemContext): RunsItem {
  const rows = cache.summary(run).value ?? [];
  const at = progress(run);
  const start = stage === 'base' ? cache.start(run) : undefined;
  const parts = stageParts(stage, rows, at);
  return {
    label: studentLabel(stage, start),
    description: [...(parts.length > 0 ? parts : ['not tested']), ...(start ? [`of ${start.run}`] : [])].join(' · '),
    icon: at?.stage === stage ? { id: 'loading~spin' } : { id: stageIcons[stage] },
    contextValue: 'stage',
    children: 'closed',
  };
}

function checkpointItem({ run, checkpoint }: NodeOf<'checkpoint'>, { cache }: ItemContext): RunsItem {
  const label = basename(checkpoint);
  if (!existsSync(checkpoint))
    return {
      label,
      description: 'folder deleted',
      icon: broken,
      contextValue: 'checkpoint.gone',
      children: 'none',
    };
  const row = cache.summary(run).value?.find((one) => one.checkpoint === label);
  return {
    label,
    description: row ? `chosen · ${accuracyText(row)} · ${shortTokens(row.meanTokens)}` : undefined,
    icon: row ? { id: 'star-full', color: 'charts.yellow' } : { id: 'save' },
    contextValue: 'checkpoint',
    children: 'none',
  };
}

function evaluationItem({ run, evaluation }: NodeOf<'evaluation'>, { cache }: ItemContext): RunsItem {
  const { value: score, damage, problem } = cache.score(run, evaluation);
  const line = damage?.line === undefined ? '' : `line ${damage.line} cannot be read: `;
  const left = damage ? ` · ${line}${damage.message}` : '';
  return {
    label: `Answers of ${testedName(evaluation, cache.start(run))}`,
    description: score
      ? `${score.correct} of ${score.n} right · ${shortTokens(score.meanTokens)}${left}`
      : `cannot be read: ${problem?.message}`,
    icon: score && !damage ? { id: 'checklist' } : broken,
    contextValue: 'evaluation',
    children: 'none',
  };
}
