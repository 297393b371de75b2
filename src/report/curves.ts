/** Curves of a run as drawings: one panel per metric, with the stages as bands. */
import type { MetricsRecord } from '../runs/records';
import { isBaseline, phaseTitle, type StageName, stageBands } from '../stages';
import { mean } from '../statistics';
import { minus, percent, plural } from '../words';
import { escaped, type Html, html, raw } from './html';

/** Consecutive records of one stage and phase. */
export interface RecordRange {
  stage: StageName;
  phase?: string;
  from: number;
  to: number;
}

export function recordRanges(metrics: readonly MetricsRecord[]): RecordRange[] {
  const out: RecordRange[] = [];
  metrics.forEach(({ stage, phase }, i) => {
    const last = out.at(-1);
    if (last?.stage === stage && last.phase === phase) last.to = i + 1;
    else out.push({ stage, phase, from: i, to: i + 1 });
  });
  return out;
}

/** A running mean over a twentieth of the segment. */
export function smooth(values: readonly (number | undefined)[]): (number | undefined)[] {
  const reach = Math.floor(values.length / 40);
  return values.map((value, i) => {
    if (value === undefined) return undefined;
    const near = values
      .slice(Math.max(0, i - reach), i + reach + 1)
      .filter((one): one is number => one !== undefined && Number.isFinite(one));
    return mean(near);
  });
}

/** A baseline is as long as the whole curriculum and would compress it; the table has its results. */
export function drawnMetrics(metrics: readonly MetricsRecord[]): readonly MetricsRecord[] {
  const stages = metrics.filter(({ stage }) => !isBaseline(stage));
  return stages.length > 0 ? stages : metrics;
}

type MetricReader = (record: MetricsRecord) => number | undefined;
const plain = (digits: number) => (value: number) => minus(value.toFixed(digits));
const small = (value: number) =>
  minus(value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(3));

/** The metrics with a panel, if measured. */
const panels: [title: string, of: MetricReader, show: (value: number) => string][] = [
  ['Right while sampling', ({ accuracy }) => accuracy, (value) => percent(value, 0)],
  ['Length of a completion', ({ lengthMean }) => lengthMean, plain(0)],
  ['Reward', ({ reward }) => reward, plain(2)],
  ['Cut off by the token budget', ({ truncated }) => truncated, (value) => percent(value, 0)],
  ['Cross-entropy (supervised)', ({ loss, reward }) => (reward === undefined ? loss : undefined), plain(2)],
  ['Policy loss', ({ loss, reward }) => (reward === undefined ? undefined : loss), small],
  ['Entropy, nats per token', ({ entropy }) => entropy, plain(2)],
  ['KL to the reference', ({ kl }) => kl, small],
  ['Norm of the gradient', ({ gradNorm }) => gradNorm, small],
];
const mostParts = 8;
/** Maximum points of a drawn curve. */
const mostPoints = 400;
const plot = { width: 320, height: 110 };

export function curvesPart(all: readonly MetricsRecord[]): Html | null {
  const metrics = drawnMetrics(all);
  if (metrics.length === 0) return null;
  const stretches = recordRanges(metrics);
  const names = [...new Set(metrics.flatMap(({ parts }) => Object.keys(parts ?? {})))].slice(0, mostParts);
  const parts = names.map((name): (typeof panels)[number] => [
    `Reward: ${name}`,
    (record) => record.parts?.[name],
    plain(2),
  ]);
  const drawn = [...panels, ...parts].flatMap(([title, of, show]) => {
    const values = metrics.map(of);
    const known = values.filter((value) => value !== undefined && Number.isFinite(value));
    return known.length > 0
      ? [html`<figure><figcaption>${title}</figcaption>${raw(panel(title, values, { stretches, show }))}</figure>\n`]
      : [];
  });
  const stages = [...new Map(stretches.map(({ stage, phase }) => [`${stage} ${phase}`, { stage, phase }])).values()];
  const name = ({ stage, phase }: (typeof stages)[number]) => phaseTitle(stage, phase ?? stage);
  const band = ({ stage }: (typeof stages)[number]) => html`<i style="background: ${stageBands[stage]}"></i>`;
  return html`<section><h2>Curves</h2>
<ul class="legend">${stages.map((one) => html`<li>${band(one)}${name(one)}</li>`)}</ul>
<div class="curves">
${drawn}</div>
<p class="dim">${plural(metrics.length, 'update')}, from left to right; each curve is a running mean over a twentieth
of its phase.</p>
</section>`;
}

function panel(
  title: string,
  values: readonly (number | undefined)[],
  { stretches, show }: { stretches: readonly RecordRange[]; show: (value: number) => string },
): string {
  const { width, height } = plot;
  const lines = stretches.map(({ from, to }) => sampledPoints(smooth(values.slice(from, to)), from));
  const heights = lines.flat().map(([, value]) => value);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of heights) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const across = (i: number) => (width * i) / values.length;
  // Values that are written alike lie in the middle: their differences are rounding.
  const flat = show(low) === show(high);
  const up = (value: number) => (flat ? height / 2 : height - 4 - ((value - low) / (high - low)) * (height - 8));
  const bands = stretches.map(
    ({ stage, from, to }) =>
      `<rect x="${round(across(from))}" y="0" ` +
      `width="${round(across(to - from))}" height="${height}" ` +
      `fill="${stageBands[stage]}"/>`,
  );
  const curves = lines.map((line) => {
    const points = line.map(([i, value]) => [round(across(i + 0.5)), round(up(value))]);
    if (points.length === 1) return `<circle class="dot" cx="${points[0][0]}" cy="${points[0][1]}" r="2.5"/>`;
    return points.length > 1
      ? `<polyline class="line" points="${points.map((point) => point.join(',')).join(' ')}"/>`
      : '';
  });
  return (
    `<svg viewBox="0 0 ${width} ${height}" role="img" ` +
    `aria-label="${escaped(`${title}: ${show(low)} to ${show(high)}`)}">${bands.join('')}${curves.join('')}<text ` +
    `x="${width - 4}" y="12" text-anchor="end">${escaped(show(high))}</text><text ` +
    `x="${width - 4}" y="${height - 5}" text-anchor="end">${escaped(show(low))}</text></svg>`
  );
}

/** At most `mostPoints` points with their places. */
function sampledPoints(values: readonly (number | undefined)[], from: number): [place: number, value: number][] {
  const known = values.flatMap((value, i): [number, number][] =>
    value !== undefined && Number.isFinite(value) ? [[from + i, value]] : [],
  );
  const every = Math.ceil(known.length / mostPoints);
  return known.filter((_, i) => i % every === 0 || i === known.length - 1);
}

const round = (value: number) => value.toFixed(1);
