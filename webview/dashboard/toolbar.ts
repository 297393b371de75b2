import { shortStageTitles, stageNames, stageTitles } from '../../src/stages';
import { append, element, replaceChildren } from '../common/dom';
import type { Panel } from './metrics';
import type { DashboardModel, DashboardView } from './model';

export interface DashboardToolbarActions {
  /** Changes the reader's choices. */
  choose(change: Partial<DashboardView>): void;
  zoom(range: null): void;
  exportCharts(): void;
}

const axisChoices: [DashboardView['axis'], string, string][] = [
  [
    'stages',
    'Stages',
    "By update; widths are logarithmic in a stage's updates, so that short stages are readable beside long ones",
  ],
  ['updates', 'Updates', 'By update; each has the same width'],
  ['time', 'Time', 'By wall time since the first update shown'],
];

/** Settings for all curves. */
export class Toolbar {
  readonly root = element('div', { class: 'toolbar', role: 'toolbar', 'aria-label': 'Curves' });
  private readonly readout = element('span', { class: 'readout' });
  private readonly stageButtons = element('span', { class: 'choices', role: 'group', 'aria-label': 'Stages shown' });
  private readonly curveList = element('div', {
    class: 'curve-list',
    id: 'curve-list',
    popover: 'auto',
    role: 'group',
    'aria-label': 'Curves shown',
  });
  private readonly modes: HTMLButtonElement[];
  private readonly smoothing = element('input', {
    type: 'range',
    min: 0,
    max: 0.99,
    step: 0.01,
    'aria-label': 'Smoothing',
  });
  private readonly weight = element('output', { class: 'weight', 'aria-hidden': 'true' });
  private readonly reset: HTMLElement;
  private readonly exporting = element(
    'button',
    {
      class: 'plain',
      title: 'The charts as displayed, as SVG or PNG, or their values as CSV',
      onclick: () => this.actions.exportCharts(),
    },
    'Export Charts…',
  );
  private readonly axes: HTMLButtonElement[];
  private readonly log: HTMLElement & { checked?: boolean };
  /** Controls that do not apply to a table. */
  private readonly ofCharts = element('span', { class: 'of-charts' });
  private drawnStages = '';
  private drawnCurves = '';

  constructor(private readonly actions: DashboardToolbarActions) {
    this.modes = (['charts', 'table'] as const).map((mode) =>
      element(
        'button',
        { class: 'plain', onclick: () => actions.choose({ mode }) },
        mode === 'charts' ? 'Charts' : 'Table',
      ),
    );
    this.axes = axisChoices.map(([axis, text, title]) =>
      element('button', { class: 'plain', title, onclick: () => actions.choose({ axis }) }, text),
    );
    this.log = element(
      'vscode-checkbox',
      { title: 'Logarithmic axes, for metrics that are always positive' },
      'Log scale',
    );
    this.log.addEventListener('change', () => actions.choose({ log: this.log.checked === true }));
    this.smoothing.addEventListener('input', () => actions.choose({ smoothing: Number(this.smoothing.value) }));
    append(this.ofCharts, [
      element('span', { class: 'choices', role: 'group', 'aria-label': 'Axis' }, ...this.axes),
      element(
        'label',
        {
          class: 'smoothing',
          title:
            'How much of the past the moving average keeps. Values in the headers ' +
            'are those of the smoothed line; the faint line is raw.',
        },
        'Smoothing',
        this.smoothing,
        this.weight,
      ),
      this.log,
    ]);
    const curves = element('button', { class: 'plain', popovertarget: 'curve-list' }, 'Choose Curves…');
    this.curveList.addEventListener('toggle', () => {
      const { left, bottom } = curves.getBoundingClientRect();
      this.curveList.style.left = `${Math.min(left, innerWidth - this.curveList.offsetWidth - 8)}px`;
      this.curveList.style.top = `${bottom + 2}px`;
    });
    this.reset = element(
      'button',
      { class: 'plain', title: 'Show the whole axis (0, or a double click)', onclick: () => actions.zoom(null) },
      'Reset Zoom',
    );
    replaceChildren(
      this.root,
      element('span', { class: 'choices', role: 'group', 'aria-label': 'Show as' }, ...this.modes),
      this.stageButtons,
      this.ofCharts,
      element('span', { class: 'actions' }, curves, this.exporting, this.reset, this.readout),
      this.curveList,
    );
  }

  draw(model: DashboardModel, panels: readonly Panel[]): void {
    const { view } = model;
    for (const [i, mode] of (['charts', 'table'] as const).entries())
      this.modes[i].setAttribute('aria-pressed', String(view.mode === mode));
    for (const [i, [axis]] of axisChoices.entries())
      this.axes[i].setAttribute('aria-pressed', String(view.axis === axis));
    this.ofCharts.hidden = view.mode !== 'charts';
    this.exporting.hidden = view.mode !== 'charts' || panels.length === 0;
    this.log.checked = view.log;
    this.smoothing.value = String(view.smoothing);
    this.weight.textContent = view.smoothing.toFixed(2);
    this.smoothing.setAttribute(
      'aria-valuetext',
      view.smoothing === 0 ? 'none' : `${Math.round(100 * view.smoothing)} percent`,
    );
    // Keeps its space when hidden, so that the layout does not shift on zooming.
    this.reset.classList.toggle('unseen', model.zoom === null || view.mode !== 'charts');
    this.drawStages(model);
    this.drawCurves(view, panels);
  }

  /** Position of the cursor. */
  point(text: string): void {
    this.readout.textContent = text;
  }

  private drawStages(model: DashboardModel): void {
    const there = [...model.presentStages()].sort();
    const shown = model.stagesShown();
    const key = JSON.stringify([there, [...shown]]);
    if (key === this.drawnStages) return;
    this.drawnStages = key;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.stage;
    const buttons = there.map((stage) => {
      const name = stageNames[stage];
      const pressed = shown.has(stage);
      const onclick = ({ shiftKey }: MouseEvent) => {
        const toggled = pressed ? [...shown].filter((other) => other !== stage) : [...shown, stage];
        const next = shiftKey ? [stage] : toggled;
        if (next.length > 0) this.actions.choose({ stages: next.sort().map((index) => stageNames[index]) });
      };
      const title = `${pressed ? 'Hide' : 'Show'} ${stageTitles[name]} (with Shift: only this one)`;
      return element(
        'button',
        { class: 'plain', 'aria-pressed': String(pressed), 'data-stage': name, title, onclick },
        shortStageTitles[name],
      );
    });
    replaceChildren(this.stageButtons, ...(there.length > 1 ? buttons : []));
    if (focused) this.stageButtons.querySelector<HTMLElement>(`[data-stage="${focused}"]`)?.focus();
  }

  private drawCurves(view: DashboardView, panels: readonly Panel[]): void {
    const key = JSON.stringify([view.hidden, panels.map(({ id }) => id)]);
    if (key === this.drawnCurves) return;
    this.drawnCurves = key;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.panel;
    const boxes = panels.map(({ id, title }) => {
      const box: HTMLElement & { checked?: boolean } = element(
        'vscode-checkbox',
        { 'data-panel': id, checked: !view.hidden.includes(id) },
        title,
      );
      box.addEventListener('change', () => {
        const others = view.hidden.filter((other) => other !== id);
        this.actions.choose({ hidden: box.checked ? others : [...others, id] });
      });
      return box;
    });
    replaceChildren(this.curveList, ...boxes);
    if (focused) this.curveList.querySelector<HTMLElement>(`[data-panel="${focused}"]`)?.focus();
  }
}
