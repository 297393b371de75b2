import type { Alert } from '../../protocol/dashboard';
import { stageNames } from '../../stages';
import { mean } from '../../statistics';
import { percent } from '../../words';
import { type PhaseRange, phaseRanges, type UpdateColumns } from './columns';

/** Updates judged together, as single batches of a few groups are noisy. */
const windowSize = 20;

/**
 * Warnings about a run: broken training (NaN), divergence (KL, entropy), or weak training signal (flat groups, cut-off
 * completions). Each phase is judged on its own; the newest phase comes first.
 */
export function alertsOf(columns: UpdateColumns): Alert[] {
  const stretches = phaseRanges(columns);
  const sustained = stretches.flatMap((stretch) =>
    [klJump, entropyCollapse, flatGroups, truncation].flatMap((judge) => judge(columns, stretch) ?? []),
  );
  return [...brokenValues(columns), ...sustained.reverse()];
}

type Judge = (columns: UpdateColumns, stretch: PhaseRange) => Alert | undefined;

function brokenValues(columns: UpdateColumns): Alert[] {
  const first = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const [metric, row] of columns.broken) {
    if (!first.has(metric)) first.set(metric, row);
    counts.set(metric, (counts.get(metric) ?? 0) + 1);
  }
  return [...first].map(([metric, row]) => {
    const count = counts.get(metric)!;
    const often = count > 1 ? ` (${count} updates, this is the first)` : '';
    return {
      ...at(columns, row, metric),
      level: 'error',
      text: `${metric} is ${columns.values.get(metric)![row]}${often}.`,
      remedy: 'A lower learning rate or a smaller maxGradNorm may help. Resume from the previous checkpoint.',
    };
  });
}

/** A sudden departure from the reference policy: KL above 5 times the maximum of the updates before, and not tiny. */
const klJump: Judge = (columns, stretch) => {
  const kl = windows(columns, stretch, 'kl');
  let worst: { row: number; before: number; after: number } | undefined;
  let before = kl[0]?.mean ?? 0;
  for (const { mean: after, row } of kl.slice(1)) {
    if (after > 0.05 && after > 5 * Math.max(before, 1e-3) && after > (worst?.after ?? 0))
      worst = { row, before, after };
    before = Math.max(before, after);
  }
  return (
    worst && {
      ...at(columns, worst.row, 'kl'),
      level: 'warning',
      text:
        `KL jumps from ${short(worst.before)} to ${short(worst.after)} ` +
        'nats per token: the student moves away from its reference policy.',
      remedy: 'A higher beta or a lower learning rate keeps it closer.',
    }
  );
};

/** Collapsed exploration: entropy below a quarter of the phase's initial value, and below 0.05 nats. */
const entropyCollapse: Judge = (columns, stretch) => {
  const entropy = windows(columns, stretch, 'entropy');
  const [begin, end] = [entropy[0], entropy.at(-1)];
  if (!begin || !end || begin === end || end.mean >= begin.mean / 4 || end.mean >= 0.05) return undefined;
  return {
    ...at(columns, end.row, 'entropy'),
    level: 'warning',
    text:
      `Entropy fell from ${short(begin.mean)} to ${short(end.mean)} nats ` +
      'per token: the samples of a group become alike.',
    remedy: 'A higher clipHigh or temperature, or fewer updates, keeps exploration alive.',
  };
};

/** Groups with equal rewards have no advantage and give no gradient. */
const flatGroups: Judge = (columns, stretch) => {
  const flat = windows(columns, stretch, 'flatGroups').at(-1);
  if (!flat || flat.mean < 0.6) return undefined;
  const share = (metric: string) => windows(columns, stretch, metric).at(-1)?.mean ?? 0;
  const [right, wrong] = [share('allCorrect'), share('allWrong')];
  return {
    ...at(columns, flat.row, 'flatGroups'),
    level: 'warning',
    text:
      `${percent(flat.mean, 0)} of the groups are flat and teach nothing (all ` +
      `right ${percent(right, 0)}, all wrong ${percent(wrong, 0)}).`,
    remedy:
      right >= wrong
        ? 'Harder problems, or dynamicSampling, would give more to learn.'
        : 'Easier problems, milder masks or larger groups would give more to learn.',
  };
};

const truncation: Judge = (columns, stretch) => {
  const truncated = windows(columns, stretch, 'truncated');
  const [begin, end] = [truncated[0], truncated.at(-1)];
  if (!begin || !end || end.mean < 0.1) return undefined;
  const rises = begin !== end && end.mean > begin.mean + 0.05;
  if (!rises && end.mean < 0.3) return undefined;
  return {
    ...at(columns, end.row, 'truncated'),
    level: 'warning',
    text: rises
      ? `The share of completions that are cut off rose from ${percent(begin.mean, 0)} to ${percent(end.mean, 0)}.`
      : `${percent(end.mean, 0)} of the completions are cut off.`,
    remedy: 'Raise maxNewTokens, or reward brevity more.',
  };
};

/**
 * Means over windows of updates, counted back from the end so that the last window is full. Empty for a short phase.
 */
function windows(columns: UpdateColumns, { from, to }: PhaseRange, metric: string): { mean: number; row: number }[] {
  const column = columns.values.get(metric);
  if (!column) return [];
  const out: { mean: number; row: number }[] = [];
  for (let end = to; end - windowSize >= from; end -= windowSize) {
    const known = column.subarray(end - windowSize, end).filter(Number.isFinite);
    if (known.length > 0) out.push({ mean: mean([...known]), row: end - 1 });
  }
  return out.reverse();
}

function at(columns: UpdateColumns, row: number, metric: string): Pick<Alert, 'stage' | 'step' | 'metric'> {
  return { stage: stageNames[columns.stage[row]], step: columns.step[row], metric };
}
const short = (value: number) => (value === 0 ? '0' : value.toPrecision(2));
