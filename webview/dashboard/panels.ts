import { append, element, replaceChildren, setAttributes } from '../common/dom';
import { Chart } from './chart';
import { type ChartMark, chartMarks } from './marks';
import { type Panel, panelsOf, valueText } from './metrics';
import type { DashboardModel } from './model';
import type { ChartPicture } from './picture';
import { letterOf, readTheme, swatch, type Theme } from './theme';

export interface PanelActions {
  point(x: number | null): void;
  zoom(range: { min: number; max: number } | null): void;
  /** Opens the rollouts of the update at a position; with `value`, of the run whose line is nearest to it. */
  pick(x: number, panel: Panel, value?: number): void;
  /** Moves the cursor by rows (of the first run), or to an end. */
  step(by: number | 'first' | 'last'): void;
  zoomBy(factor: number): void;
  /** Whether to draw curves that are 0 in all updates. */
  zeros(shown: boolean): void;
}

interface ShownPanel {
  panel: Panel;
  root: HTMLElement;
  plot: HTMLElement;
  legend: HTMLElement;
  /** The legend of the marks, or the one at the cursor: on its own line, so that the layout does not shift. */
  marked: HTMLElement;
  chart: Chart;
  marks: ChartMark[];
}

/** Metrics that are informative even if they are 0 all the time. */
const alwaysShown = ['reward', 'accuracy'];

/** The small multiples: one chart per panel, all with the same axis and cursor. */
export class Panels {
  readonly root = element('div');
  private readonly grid = element('div', { class: 'panels' });
  /** Lists the curves that have been 0 all the time, and shows or folds them. */
  private readonly zeros = element('p', { class: 'zeros' });
  private shown = new Map<string, ShownPanel>();
  private theme: Theme = readTheme();
  private readonly visible = new Set<Element>();
  private readonly observer = new IntersectionObserver((entries) => this.observeVisibility(entries), {
    rootMargin: '200px',
  });
  private model: DashboardModel | undefined;
  private pointing = 0;
  /** Of the grid, in CSS pixels; its height does not matter to the charts. */
  private width = 0;

  constructor(private readonly actions: PanelActions) {
    append(this.root, [this.grid, this.zeros]);
    new ResizeObserver(() => this.resized()).observe(this.grid);
  }

  /** All panels, including hidden ones. */
  available: Panel[] = [];

  draw(model: DashboardModel): void {
    this.model = model;
    this.available = panelsOf(model.tracks);
    const chosen = this.available.filter(({ id }) => !model.view.hidden.includes(id));
    const zero = chosen.filter((panel) => !alwaysShown.includes(panel.id) && isZero(panel, model));
    const wanted = model.view.zeros ? chosen : chosen.filter((panel) => !zero.includes(panel));
    this.drawZeros(zero, model.view.zeros);
    const ids = new Set(wanted.map(({ id }) => id));
    for (const [id, shown] of this.shown) {
      if (ids.has(id)) continue;
      shown.chart.destroy();
      this.observer.unobserve(shown.root);
      shown.root.remove();
      this.shown.delete(id);
    }
    for (const [i, panel] of wanted.entries()) {
      const shown = this.shown.get(panel.id) ?? this.add(panel);
      shown.panel = panel;
      shown.marks = chartMarks(model, panel.id);
      if (this.grid.children[i] !== shown.root) this.grid.insertBefore(shown.root, this.grid.children[i] ?? null);
    }
    this.redraw();
  }

  private drawZeros(zero: readonly Panel[], drawn: boolean): void {
    const names = zero.map(({ title }) => title).join(', ');
    const key = `${drawn} ${names}`;
    if (this.zeros.dataset.key === key) return;
    this.zeros.dataset.key = key;
    const onclick = () => this.actions.zeros(!drawn);
    const toggle = element('button', { class: 'link', onclick }, drawn ? 'Fold curves that are 0' : 'Show them');
    replaceChildren(this.zeros, drawn ? null : `0 in all updates: ${names}. `, toggle);
    this.zeros.hidden = zero.length === 0;
  }

  /** All charts in the current layout, including those out of view. */
  sheet(): ChartPicture {
    const { model, theme } = this;
    const { left, top, width, height } = this.grid.getBoundingClientRect();
    const style = getComputedStyle(document.body);
    const panels = [...this.shown.values()].flatMap(({ chart, panel, marks, root }) => {
      if (model) chart.draw(panel, model, marks, theme);
      const drawn = chart.drawnNow();
      if (!drawn) return [];
      const place = root.getBoundingClientRect();
      const [x, y] = [place.left - left + 8, place.top - top];
      return [{ title: panel.title, legend: this.names(panel), x, y, chart: drawn }];
    });
    return {
      width: width + 16,
      height: height + 16,
      background: backgroundOf(style),
      font: style.fontFamily,
      theme,
      panels,
    };
  }

  /** Of the lines of a panel. */
  private names({ metrics }: Panel): ChartPicture['panels'][number]['legend'] {
    const heads = this.model?.heads ?? [];
    if (heads.length > 1) return heads.map(({ id }, i) => ({ text: `${letterOf(i)} ${id}`, colour: i }));
    return metrics.length > 1 ? metrics.map(({ short }, colour) => ({ text: short, colour })) : [];
  }

  /** The theme changed: all colours are new. */
  repaint(): void {
    this.theme = readTheme();
    this.redraw();
  }

  /** Once per frame, however fast the mouse moves. */
  point(): void {
    this.pointing ||= requestAnimationFrame(() => {
      this.pointing = 0;
      for (const shown of this.shown.values()) {
        if (!this.visible.has(shown.root)) continue;
        shown.chart.point(this.model?.cursor ?? null);
        this.tell(shown);
      }
    });
  }

  focus(id: string): void {
    const shown = this.shown.get(id);
    shown?.root.scrollIntoView({ block: 'nearest' });
    shown?.plot.focus();
  }

  private add(panel: Panel): ShownPanel {
    const explanation = `explain-${panel.id}`;
    const legend = element('ul', { class: 'legend' });
    const text = element('p', { class: 'meaning', id: explanation, hidden: true }, panel.explain);
    const title = element(
      'button',
      { class: 'title', title: panel.explain, 'aria-expanded': 'false', 'aria-controls': explanation },
      panel.title,
    );
    title.addEventListener('click', () => {
      text.hidden = !text.hidden;
      title.setAttribute('aria-expanded', String(!text.hidden));
    });
    const plot = element('div', {
      class: 'plot',
      role: 'slider',
      tabindex: 0,
      'aria-label': `${panel.title} by update`,
      'aria-describedby': explanation,
      // Until it is drawn, which happens when it comes into view.
      'aria-valuemin': 0,
      'aria-valuemax': 1,
      'aria-valuenow': 1,
    });
    const marked = element('p', { class: 'marked', hidden: true });
    const root = element('section', { class: 'panel', 'aria-label': panel.title });
    append(root, [element('h3', {}, title), text, plot, legend, marked]);
    const shown: ShownPanel = {
      panel,
      root,
      plot,
      legend,
      marked,
      marks: [],
      chart: new Chart(plot, {
        ...this.actions,
        pick: (x, value) => this.actions.pick(x, shown.panel, value),
      }),
    };
    plot.addEventListener('keydown', (event) => this.key(event, shown));
    this.shown.set(panel.id, shown);
    this.observer.observe(root);
    return shown;
  }

  private key(event: KeyboardEvent, { panel }: ShownPanel): void {
    const { model, actions } = this;
    const keys: Record<string, () => void> = {
      ArrowLeft: () => actions.step(event.shiftKey ? -10 : -1),
      ArrowRight: () => actions.step(event.shiftKey ? 10 : 1),
      ArrowDown: () => actions.step(-1),
      ArrowUp: () => actions.step(1),
      PageDown: () => actions.step(-50),
      PageUp: () => actions.step(50),
      Home: () => actions.step('first'),
      End: () => actions.step('last'),
      Enter: () => typeof model?.cursor === 'number' && actions.pick(model.cursor, panel),
      '+': () => actions.zoomBy(0.5),
      '-': () => actions.zoomBy(2),
      '0': () => actions.zoom(null),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }

  private observeVisibility(entries: readonly IntersectionObserverEntry[]): void {
    const fresh = new Set<Element>();
    for (const { target, isIntersecting } of entries) {
      for (const set of [fresh, this.visible]) {
        if (isIntersecting) set.add(target);
        else set.delete(target);
      }
    }
    this.redraw(fresh);
  }

  private resized(): void {
    const { clientWidth } = this.grid;
    if (clientWidth === this.width) return;
    this.width = clientWidth;
    this.redraw();
  }

  /** Only visible charts are drawn. A chart that fails is reported, and tried again with the next update. */
  private redraw(roots: ReadonlySet<Element> = this.visible): void {
    const { model, theme } = this;
    if (!model) return;
    for (const shown of this.shown.values()) {
      if (!roots.has(shown.root)) continue;
      try {
        shown.chart.draw(shown.panel, model, shown.marks, theme);
        shown.chart.point(model.cursor);
      } catch (error) {
        reportError(error);
      }
      this.tell(shown);
    }
  }

  /** The values at the cursor, or the last ones, in the panel's legend and for screen readers. */
  private tell(shown: ShownPanel): void {
    const { panel, root, legend, plot, marks, marked } = shown;
    const model = this.model!;
    const several = model.tracks.length > 1;
    const entries: { index: number; name: string; value: string }[] = [];
    for (const [run, track] of model.tracks.entries())
      for (const [i, metric] of panel.metrics.entries()) {
        if (!track.column(metric.key)) continue;
        const place = model.cursor === null ? this.lastPlace(run, metric.key) : model.placeAt(run, model.cursor);
        const value = place < 0 ? undefined : this.valueAt(shown, run, metric.key, place);
        entries.push({
          index: several ? run : i,
          name: several ? letterOf(run) : metric.short,
          value: valueText(value, metric.unit),
        });
      }
    const near = model.cursor === null ? undefined : nearestMark(marks, model.cursor, model.range);
    root.classList.toggle('several', entries.length > 1);
    replaceChildren(
      legend,
      ...entries.map(({ index, name, value }) =>
        element(
          'li',
          { title: name },
          entries.length > 1 ? swatch(index) : null,
          entries.length > 1 ? element('span', { class: 'name' }, name) : null,
          element('span', { class: 'value' }, value),
        ),
      ),
    );
    marked.hidden = marks.length === 0;
    if (marks.length > 0) marked.textContent = near ? markText(near, panel) : markLegend(marks);
    const place = model.cursor === null ? 'latest' : this.placeText();
    setAttributes(plot, {
      'aria-valuemin': Math.round(model.range.min),
      'aria-valuemax': Math.round(model.range.max),
      'aria-valuenow': Math.round(model.cursor ?? model.range.max),
      'aria-valuetext':
        `${place}: ` +
        `${entries.map(({ name, value }) => `${name} ${value}`).join(', ')}${near ? `; ${markText(near, panel)}` : ''}`,
    });
  }

  private placeText(): string {
    const model = this.model!;
    const run = model.tracks.findIndex((_, i) => model.rowAt(i, model.cursor!) >= 0);
    return run < 0 ? 'no update here' : model.placeText(run, model.rowAt(run, model.cursor!));
  }

  /** As drawn; as measured if it cannot be drawn. */
  private valueAt({ chart }: ShownPanel, run: number, metric: string, place: number): number | undefined {
    const { tracks, layout } = this.model!;
    return chart.valueAt(run, metric, place) ?? tracks[run].value(metric, layout.placed[run].rows[place]);
  }

  /** The last displayed row with the metric. */
  private lastPlace(run: number, metric: string): number {
    const model = this.model!;
    const rows = model.layout.placed[run]?.rows ?? [];
    const column = model.tracks[run].column(metric)!;
    for (let i = rows.length - 1; i >= 0; i--) if (!Number.isNaN(column[rows[i]])) return i;
    return -1;
  }
}

/** A page of VS Code may be transparent and show the editor's background. */
const backgroundOf = ({ backgroundColor }: CSSStyleDeclaration) =>
  /^rgba\(.*, 0\)$/.test(backgroundColor) ? 'white' : backgroundColor;

/** The meaning of the marks. */
function markLegend(marks: readonly ChartMark[]): string {
  const checks = marks.some(({ interval }) => !interval) ? ['○ validation'] : [];
  const tests = marks.some(({ interval }) => interval) ? ['◆ test'] : [];
  return [...checks, ...tests].join('   ');
}

/** Whether all data of a panel is 0. */
function isZero({ metrics }: Panel, { tracks }: DashboardModel): boolean {
  return tracks.every((track) =>
    metrics.every(({ key }) => {
      const column = track.column(key)?.subarray(0, track.rows);
      return column?.every((value, row) => value === 0 || track.value(key, row) === undefined) ?? true;
    }),
  );
}

function nearestMark(
  marks: readonly ChartMark[],
  x: number,
  range: { min: number; max: number },
): ChartMark | undefined {
  const reach = (range.max - range.min) / 60;
  return marks.filter((mark) => Math.abs(mark.x - x) <= reach).sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x))[0];
}

function markText({ value, interval, text }: ChartMark, panel: Panel): string {
  const { unit } = panel.metrics[0];
  const range =
    interval && interval[0] !== interval[1] ? ` [${interval.map((end) => valueText(end, unit)).join(', ')}]` : '';
  return `${text}: ${valueText(value, unit)}${range}`;
}
