/** The metrics of updates: titles, meanings (those of TRL's GRPOTrainer) and number formats. */
import { minus } from '../../src/words';
import type { Track } from './track';

export type MetricUnit = 'share' | 'tokens' | 'number' | 'rate';

export interface Metric {
  /** Its column. */
  key: string;
  title: string;
  /** Used where the panel's title names the subject. */
  short: string;
  explain: string;
  unit: MetricUnit;
  /** Positive: a log axis makes sense. */
  positive?: boolean;
  /** Its axis begins at 0. */
  fromZero?: boolean;
  /** Set, not measured: nothing to smooth. */
  exact?: boolean;
}

export interface Panel {
  id: string;
  title: string;
  explain: string;
  metrics: Metric[];
}

const share = { unit: 'share', fromZero: true } as const;

const reward: Metric = {
  key: 'reward',
  title: 'Reward',
  short: 'mean',
  explain: 'Mean over the completions of the weighted sum of components that is optimized.',
  unit: 'number',
};

const panels: Panel[] = [
  { id: 'reward', title: 'Reward', explain: reward.explain, metrics: [reward] },
  {
    id: 'parts',
    title: 'Reward parts',
    explain: 'Mean of each reward component, before its weight, over the completions that it applies to.',
    metrics: [], // the run says which there are
  },
  {
    id: 'accuracy',
    title: 'Accuracy',
    explain:
      'Line: share of sampled completions with the right answer, on the prompts of this update. ○ ' +
      'validation: held-out problems, plain question. ◆ test result with its 95 % interval.',
    metrics: [
      {
        key: 'accuracy',
        title: 'Accuracy while sampling',
        short: 'sampled',
        explain: 'Share of sampled completions with the right answer.',
        ...share,
        fromZero: false,
      },
    ],
  },
  {
    id: 'length',
    title: 'Length',
    explain: 'Mean tokens of a completion: of all, of those with the right answer, of those without.',
    metrics: [
      {
        key: 'lengthMean',
        title: 'Length',
        short: 'all',
        explain: 'Mean tokens of a completion.',
        unit: 'tokens',
        positive: true,
      },
      {
        key: 'lengthCorrect',
        title: 'Length when right',
        short: 'right',
        explain: 'Mean tokens of the completions with the right answer.',
        unit: 'tokens',
        positive: true,
      },
      {
        key: 'lengthWrong',
        title: 'Length when wrong',
        short: 'wrong',
        explain: 'Mean tokens of the completions without the right answer.',
        unit: 'tokens',
        positive: true,
      },
    ],
  },
  {
    id: 'flat',
    title: 'Flat groups',
    explain:
      'Share of groups whose completions all got the same reward: they have no advantage ' +
      'and give no gradient (where dynamicSampling goes by "correct", also those all right or all ' +
      'wrong). And of groups that are all right, or all wrong.',
    metrics: [
      {
        key: 'flatGroups',
        title: 'Flat groups',
        short: 'flat',
        explain: 'Share of groups with equal rewards.',
        ...share,
      },
      {
        key: 'allCorrect',
        title: 'Groups all right',
        short: 'all right',
        explain: 'Share of groups without a wrong answer.',
        ...share,
      },
      {
        key: 'allWrong',
        title: 'Groups all wrong',
        short: 'all wrong',
        explain: 'Share of groups without a right answer.',
        ...share,
      },
    ],
  },
  single('truncated', 'Cut off', 'Share of completions that were cut off by the token budget before their end.', {
    unit: 'share',
  }),
  single(
    'entropy',
    'Entropy',
    'Mean entropy of the next-token distribution over all completion tokens, including ' +
      'flat groups, in nats. Near 0 the samples of a group are all alike.',
    { unit: 'number', positive: true },
  ),
  single(
    'kl',
    'KL to the reference',
    'Mean estimate of the KL divergence from the reference policy, in nats per ' +
      'token: how far the student has moved from the start of the stage.',
    { unit: 'number', positive: true },
  ),
  {
    id: 'clip',
    title: 'Clipped tokens',
    explain:
      'Share of tokens (of completions with the loss gspo) whose probability ratio left the ' +
      'clip range: at the low side (advantage below 0) and the high side (above 0). They give ' +
      'no gradient; with cispo, which has only a high side, a bounded one.',
    metrics: [
      {
        key: 'clipLow',
        title: 'Clipped low',
        short: 'low',
        explain: 'Share of tokens clipped at the low side.',
        ...share,
      },
      {
        key: 'clipHigh',
        title: 'Clipped high',
        short: 'high',
        explain: 'Share of tokens clipped at the high side.',
        ...share,
      },
    ],
  },
  single(
    'rewardStd',
    'Reward deviation',
    'Standard deviation of the reward over the completions of an update. At 0 there is no preference to learn.',
    { unit: 'number', positive: true },
  ),
  {
    id: 'crossEntropy',
    title: 'Cross-entropy',
    explain:
      'Mean negative log-probability of the target tokens, in nats: of supervised updates, ' +
      'and of the examples replayed beside GRPO. ○ validation: chains of held-out problems; ' +
      'where it rises while the line falls, the student memorizes.',
    metrics: [
      {
        key: 'crossEntropy',
        title: 'Cross-entropy',
        short: 'supervised',
        explain: 'Loss of the supervised updates.',
        unit: 'number',
        positive: true,
      },
      {
        key: 'replayLoss',
        title: 'Cross-entropy of replay',
        short: 'replay',
        explain: 'Cross-entropy of the replayed examples.',
        unit: 'number',
        positive: true,
      },
    ],
  },
  single(
    'policyLoss',
    'Policy loss',
    'The clipped surrogate that GRPO minimizes. It hovers around 0 and does ' +
      'not fall as the student learns: read the reward instead.',
    { unit: 'number' },
  ),
  single(
    'gradNorm',
    'Gradient norm',
    'L2 norm of the gradient over all weights, before it is clipped to maxGradNorm.',
    { unit: 'number', positive: true },
  ),
  exact(
    single('lr', 'Learning rate', 'Learning rate of the update, by the schedule.', { unit: 'number', positive: true }),
  ),
  single(
    'tokensPerSecond',
    'Tokens per second',
    'Tokens read and written by the update, divided by its wall time: sampling and training together.',
    { unit: 'rate', positive: true },
  ),
];

function exact(panel: Panel): Panel {
  return { ...panel, metrics: panel.metrics.map((metric) => ({ ...metric, exact: true })) };
}

/** A panel of one metric. */
function single(key: string, title: string, explain: string, scale: { unit: MetricUnit; positive?: boolean }): Panel {
  const metric = { key, title, short: title.toLowerCase(), explain, fromZero: scale.unit === 'share', ...scale };
  return { id: key, title, explain, metrics: [metric] };
}

/**
 * The panels with data for these runs. One run: related lines share a panel. Several runs: a panel per line, as colour
 * and dash then distinguish the runs.
 */
export function panelsOf(tracks: readonly Track[]): Panel[] {
  const measured = new Set(tracks.flatMap((track) => track.metrics()));
  const parts = [...measured].filter((name) => name.startsWith('parts/'));
  const all = panels.map((panel) => (panel.id === 'parts' ? { ...panel, metrics: parts.map(part) } : panel));
  return all.flatMap((panel) => {
    const metrics = panel.metrics.filter(({ key }) => measured.has(key));
    if (metrics.length === 0) return [];
    if (tracks.length === 1) return [{ ...panel, metrics }];
    return metrics.map((metric) =>
      metric.key === panel.metrics[0].key && panel.id !== 'parts'
        ? { ...panel, id: metric.key, title: metric.title, metrics: [metric] }
        : { id: metric.key, title: metric.title, explain: metric.explain, metrics: [metric] },
    );
  });
}

function part(key: string): Metric {
  const name = key.slice('parts/'.length);
  return {
    key,
    title: `Reward part: ${name}`,
    short: name,
    explain: `Mean of the component "${name}", before its weight, over the completions that it applies to.`,
    unit: 'number',
  };
}

/** A formatted value: 71.3 %, 193, 0.0042, 1.2e−6. */
export function valueText(value: number | undefined | null, unit: MetricUnit): string {
  if (value === undefined || value === null) return '–';
  if (!Number.isFinite(value)) return minus(String(value));
  if (unit === 'share') return `${minus((100 * value).toFixed(1))} %`;
  if (unit === 'tokens') return minus(value.toFixed(value < 100 ? 1 : 0));
  if (unit === 'rate') return minus(Math.round(value).toLocaleString('en'));
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-3) return minus(value.toExponential(1));
  if (size < 1) return minus(value.toPrecision(3));
  return minus(value.toFixed(size >= 1000 ? 0 : 2));
}

/** For an axis with this distance between ticks: as short as possible, without duplicates. */
export function tickText(value: number, unit: MetricUnit, increment: number): string {
  let [scale, sign] = [1, ''];
  if (unit === 'share') [scale, sign] = [100, '%'];
  else if (Math.abs(value) >= 10_000) [scale, sign] = [1e-3, 'k'];
  const size = Math.abs(value * scale);
  if (size === 0) return `0${sign}`;
  if (size < 1e-3) return `${minus(String(Number((value * scale).toPrecision(3)).toExponential()))}${sign}`;
  let digits = 0;
  for (let step = increment * scale; digits < 8 && Math.abs(step - Math.round(step)) > 1e-6 * step; digits++)
    step *= 10;
  return `${minus((value * scale).toFixed(digits))}${sign}`;
}

/** A number as text, with its sign. */
export const withSign = (text: string) => (text.startsWith('-') ? minus(text) : `+${text}`);
