import uPlot from 'uplot';
import { shortStageTitles, stageNames } from '../../src/stages';
import { clock } from '../../src/words';
import { type AxisKind, type Band, type StepTick, shortStep, stepTicks } from './axis';
import { drawn, isolatedPoints, type PlottedLine, plain, smoothed } from './curve';
import type { ChartMark } from './marks';
import { type Metric, type Panel, tickText } from './metrics';
import type { DashboardModel } from './model';
import type { DrawnChart } from './picture';
import { dashes, lineCount, type Theme } from './theme';
import { logTicks, padded, type ValueRange, valueRange } from './value-range';

const height = 132;

export interface ChartActions {
  /** The mouse is at this position, or has left (null). */
  point(x: number | null): void;
  zoom(range: ValueRange | null): void;
  /** A click at a position; `value` is its y. */
  pick(x: number, value: number): void;
}

/** One curve of a chart: a metric of a run. */
interface ChartCurve {
  run: number;
  metric: Metric;
  colour: number;
}

interface ChartStyle {
  theme: Theme;
  log: boolean;
  /** CSS pixels. */
  width: number;
  axis: AxisKind;
  smoothing: boolean;
}

/** One chart: lines over bands, with an x range shared by all panels. Owns a canvas; must be destroyed. */
export class Chart {
  private plot: uPlot | undefined;
  private signature = '';
  private bands: Band[] = [];
  private marks: ChartMark[] = [];
  private range = { min: 0, max: 1 };
  private values: ValueRange | undefined;
  /** The drawn values of each curve, after smoothing if enabled. By run and metric, one value per placed row. */
  private drawnValues = new Map<string, Float64Array>();
  /** Of each curve. */
  private colours: number[] = [];
  /** The ticks drawn last. */
  private readonly ticksAt: Record<'x' | 'y', [value: number, text: string][]> = { x: [], y: [] };

  constructor(
    private readonly host: HTMLElement,
    private readonly actions: ChartActions,
  ) {}

  draw(panel: Panel, model: DashboardModel, marks: readonly ChartMark[], theme: Theme): void {
    const { view, layout } = model;
    const log = view.log && panel.metrics.every(({ positive }) => positive);
    const curves = curvesOf(panel, model);
    this.colours = [];
    const weight = panel.metrics.some(({ exact }) => exact) ? 0 : view.smoothing;
    this.bands = layout.bands;
    this.range = { min: model.range.min, max: model.range.max };
    this.marks = marks.filter(({ x }) => x >= this.range.min && x <= this.range.max);
    const width = this.host.clientWidth;
    const buckets = Math.max(50, width - 60);
    const raw: PlottedLine[] = [];
    const smooth: PlottedLine[] = [];
    this.drawnValues = new Map();
    for (const { run, metric, colour } of curves) {
      const column = model.tracks[run].column(metric.key);
      const placed = layout.placed[run];
      const line = (values: Float64Array) => drawn(values, placed, this.range, { buckets, log });
      if (!column || !placed) continue;
      this.colours.push(colour);
      const own = plain(column, placed);
      const drawnMost = weight > 0 ? smoothed(column, placed, weight) : own;
      this.drawnValues.set(`${run} ${metric.key}`, drawnMost);
      raw.push(line(own));
      smooth.push(weight > 0 ? line(drawnMost) : { x: [], y: [] });
    }
    const shownLines = weight > 0 ? smooth : raw;
    const heights = this.marks.flatMap(({ value, interval }) => [value, ...(interval ?? [])]);
    this.values = valueRange(shownLines, raw, heights, log);
    const lines = [...raw, ...smooth];
    // A line ends at the end of a stage, even where other lines have points.
    const data = uPlot.join(
      lines.map(({ x, y }): uPlot.AlignedData => [x, y]),
      lines.map(() => [2, 2]),
    );
    const signature = JSON.stringify([curves, log, view.axis, weight > 0, theme]);
    try {
      if (this.plot && this.signature !== signature) this.destroy();
      if (!this.plot) {
        this.signature = signature;
        const style = { theme, log, width, axis: view.axis, smoothing: weight > 0 };
        this.plot = new uPlot(this.options(panel, curves, style), data, this.host);
        this.listen(this.plot);
      }
      // Synchronously, not in a microtask of uPlot's, so that an error is caught here and does not break the chart
      // permanently.
      const { plot } = this;
      plot.batch(() => {
        if (plot.width !== width) plot.setSize({ width, height });
        plot.setData(data);
      });
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** The drawn value of a run's curve at one of its placed rows; undefined if there is none. */
  valueAt(run: number, metric: string, place: number): number | undefined {
    const value = this.drawnValues.get(`${run} ${metric}`)?.[place];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  /** Its content, for a picture; undefined before it is drawn. */
  drawnNow(): DrawnChart | undefined {
    const { plot } = this;
    if (!plot) return undefined;
    const at = (x: number) => plot.valToPos(x, 'x');
    const up = (y: number) => plot.valToPos(y, 'y');
    const [, ...columns] = plot.data;
    const curves = columns.length / 2;
    return {
      left: plot.over.offsetLeft,
      top: plot.over.offsetTop,
      width: plot.over.clientWidth,
      height: plot.over.clientHeight,
      bands: this.bands.map(({ stage, phase, from, to }) => ({ stage, phase, from: at(from), to: at(to) })),
      xTicks: this.ticksAt.x.flatMap(([value, text]) => (text === '' ? [] : [{ at: at(value), text }])),
      yTicks: this.ticksAt.y.flatMap(([value, text]) => (text === '' ? [] : [{ at: up(value), text }])),
      lines: columns.flatMap((values, i) => {
        const smooth = plot.series[1 + curves + (i % curves)].show === true;
        if (i >= curves && !smooth) return [];
        const points = Array.from(values, (y, row) => {
          if (y === undefined) return undefined; // position of another line
          return y === null ? null : ([at(plot.data[0][row]), up(y)] as const);
        });
        const colour = this.colours[i % curves];
        return [{ colour, faint: smooth && i < curves, points: points.filter((point) => point !== undefined) }];
      }),
      marks: this.marks.map(({ x, value, colour, interval }) => ({
        x: at(x),
        y: up(value),
        colour,
        ...(interval && { interval: [up(interval[0]), up(interval[1])] as [number, number] }),
      })),
      canvas: plot.ctx.canvas,
    };
  }

  /** Shows the cursor at a position; hidden outside of the chart. */
  point(x: number | null): void {
    const { plot } = this;
    if (!plot) return;
    const inside = x !== null && x >= this.range.min && x <= this.range.max;
    plot.setCursor({ left: inside ? plot.valToPos(x, 'x') : -10, top: inside ? 0 : -10 }, false);
  }

  destroy(): void {
    this.plot?.destroy();
    this.plot = undefined;
  }

  private listen(plot: uPlot): void {
    const place = (event: MouseEvent) => plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, 'x');
    plot.over.addEventListener('mousemove', (event) => this.actions.point(place(event)));
    plot.over.addEventListener('mouseleave', () => this.actions.point(null));
    plot.over.addEventListener('dblclick', () => this.actions.zoom(null));
    plot.over.addEventListener('click', (event) => {
      const top = event.clientY - plot.over.getBoundingClientRect().top;
      this.actions.pick(place(event), plot.posToVal(top, 'y'));
    });
  }

  private options(
    panel: Panel,
    curves: readonly ChartCurve[],
    { theme, log, width, axis: kind, smoothing }: ChartStyle,
  ): uPlot.Options {
    const { unit, fromZero } = panel.metrics[0];
    const line = ({ run, metric, colour }: ChartCurve, thin: boolean): uPlot.Series => ({
      label: `${run} ${metric.key}`,
      stroke: theme.lines[colour % lineCount],
      width: thin ? 1 : 1.5,
      alpha: thin ? 0.3 : 1,
      dash: thin ? [] : dashes[colour % dashes.length],
      // A line of one value has no length.
      points: {
        show: true,
        size: 5,
        fill: theme.lines[colour % lineCount],
        filter: (plot, i) => isolatedPoints(plot.data[i]),
      },
    });
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: theme.dim, font, ticks: { show: false }, gap: 4 };
    return {
      width,
      height,
      padding: [6, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      scales: {
        x: { time: false, range: () => this.paddedRange() },
        y: { distr: log ? 3 : 1, range: () => ends(padded(this.values, { log, fromZero: fromZero === true })) },
      },
      axes: [
        {
          ...axis,
          size: 20,
          grid: { show: false },
          ...this.ticks(kind),
        },
        {
          ...axis,
          size: 46,
          space: 26,
          grid: { stroke: theme.grid, width: 1, ...(log && { filter: logAxis.filter }) },
          ...(log && logAxis),
          values: (...[, ticks, , , increment]) =>
            this.noted(
              'y',
              ticks,
              ticks.map((value) => (value === null ? '' : tickText(value, unit, log ? value : increment))),
            ),
        },
      ],
      series: [
        {},
        ...curves.map((curve) => line(curve, smoothing)),
        ...curves.map((curve) => ({ ...line(curve, false), show: smoothing })),
      ],
      hooks: {
        drawClear: [(plot) => drawBands(plot, this.bands, theme, font)],
        draw: [(plot) => drawMarks(plot, this.marks, theme)],
        setSelect: [
          (plot) => {
            const { left, width: selected } = plot.select;
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            if (selected < 4) return;
            this.actions.zoom({ min: plot.posToVal(left, 'x'), max: plot.posToVal(left + selected, 'x') });
          },
        ],
      },
    };
  }

  /** By stages, ticks count each stage's own steps. */
  private ticks(axis: AxisKind): Pick<uPlot.Axis, 'splits' | 'values'> {
    const shown = (text: (x: number) => string) => (_: uPlot, ticks: number[]) =>
      this.noted('x', ticks, ticks.map(text));
    if (axis === 'time') return { values: shown(clock) };
    if (axis === 'updates') return { values: shown((x) => (Number.isInteger(x) ? shortStep(x) : '')) };
    let steps: StepTick[] = [];
    return {
      splits: (plot) => {
        steps = stepTicks(this.bands, this.range, plot.over.clientWidth || plot.width - 54);
        return steps.map(({ x }) => x);
      },
      values: (_, ticks) =>
        this.noted(
          'x',
          ticks,
          steps.map(({ step }) => shortStep(step)),
        ),
    };
  }

  private noted(axis: 'x' | 'y', ticks: readonly (number | null)[], texts: string[]): string[] {
    this.ticksAt[axis] = ticks.map((value, i) => [value ?? 0, value === null ? '' : texts[i]]);
    return texts;
  }

  /** Some space at both ends, for the marks there. */
  private paddedRange(): [number, number] {
    const pad = (this.range.max - this.range.min) * 0.012;
    return [this.range.min - pad, this.range.max + pad];
  }
}

/** uPlot searches for a tick step even if ticks are given: it finds this one in any range. */
const logAxis = {
  splits: (_: uPlot, __: number, min: number, max: number) => logTicks({ min, max }),
  filter: (_: uPlot, ticks: number[]) => ticks,
  incrs: [5e31],
};

const ends = ({ min, max }: ValueRange): [number, number] => [min, max];

function curvesOf(panel: Panel, { tracks }: DashboardModel): ChartCurve[] {
  return tracks.flatMap((track, run) =>
    panel.metrics.flatMap((metric, i) =>
      track.column(metric.key) ? [{ run, metric, colour: tracks.length > 1 ? run : i }] : [],
    ),
  );
}

function drawBands(plot: uPlot, bands: readonly Band[], theme: Theme, font: string): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = font.replace(/^\d+px/, `${Math.round(10 * ratio)}px`);
  ctx.textBaseline = 'top';
  ctx.textAlign = 'left';
  for (const [i, { stage, phase, from, to }] of bands.entries()) {
    const left = Math.max(bbox.left, plot.valToPos(from, 'x', true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, 'x', true));
    if (right <= left) continue;
    if (!theme.contrast && i % 2 === 1) {
      ctx.globalAlpha = 0.05;
      ctx.fillStyle = theme.fg;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    ctx.globalAlpha = theme.contrast ? 1 : 0.45;
    if (i > 0) {
      ctx.strokeStyle = theme.dim;
      ctx.lineWidth = ratio;
      // A phase within a stage begins with a dashed line.
      ctx.setLineDash(bands[i - 1].stage === stage ? [2 * ratio, 3 * ratio] : []);
      ctx.beginPath();
      ctx.moveTo(Math.round(left) + 0.5, bbox.top);
      ctx.lineTo(Math.round(left) + 0.5, bbox.top + bbox.height);
      ctx.stroke();
    }
    const name = stageNames[stage];
    const whole = phase === name ? shortStageTitles[name] : phase;
    // A narrow band keeps its number: the 3 of Stage 3.
    const title = [whole, /\d$/.exec(whole)?.[0] ?? ''].find(
      (text) => ctx.measureText(text).width < right - left - 8 * ratio,
    );
    if (!title) continue;
    ctx.globalAlpha = 0.85;
    ctx.fillStyle = theme.dim;
    ctx.fillText(title, left + 4 * ratio, bbox.top + 2 * ratio);
  }
  ctx.restore();
}

/** Validations as rings, test results as diamonds with their intervals. */
function drawMarks(plot: uPlot, marks: readonly ChartMark[], theme: Theme): void {
  const { ctx } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([]);
  for (const { x, value, interval, colour } of marks) {
    const left = plot.valToPos(x, 'x', true);
    const top = plot.valToPos(value, 'y', true);
    ctx.strokeStyle = colour === null ? theme.fg : theme.lines[colour % lineCount];
    ctx.fillStyle = ctx.strokeStyle;
    ctx.beginPath();
    if (!interval) {
      ctx.arc(left, top, 2.8 * ratio, 0, 2 * Math.PI);
      ctx.stroke();
      continue;
    }
    ctx.moveTo(left, plot.valToPos(interval[0], 'y', true));
    ctx.lineTo(left, plot.valToPos(interval[1], 'y', true));
    ctx.stroke();
    const size = 4.5 * ratio;
    ctx.beginPath();
    ctx.moveTo(left, top - size);
    ctx.lineTo(left + size, top);
    ctx.lineTo(left, top + size);
    ctx.lineTo(left - size, top);
    ctx.fill();
  }
  ctx.restore();
}
