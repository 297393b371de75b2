import '../common/jitless';
import 'uplot/dist/uPlot.min.css';
import '../common/theme.css';
import './dashboard.css';
import { type Alert, type ToDashboard, toDashboard } from '../../src/protocol/dashboard';
import type { FromDashboard } from '../../src/protocol/dashboard-requests';
import { stageNames } from '../../src/stages';
import { element, replaceChildren } from '../common/dom';
import { openLink } from '../common/link';
import { defineCheckbox } from '../common/toolkit';
import { nearest, positionOf } from './axis';
import { Controls } from './controls';
import { alertsView, headsView } from './heads';
import type { Panel } from './metrics';
import { DashboardModel, type DashboardView, viewSchema } from './model';
import { Panels } from './panels';
import { pngOf, svgOf } from './picture';
import { resultsTable } from './results';
import { resultsCsv } from './results-csv';
import { RolloutsPane } from './rollouts';
import { settingsView } from './settings';
import { splitter } from './splitter';
import { UpdatesTable } from './table';
import { onThemeChange } from './theme';
import { Toolbar } from './toolbar';
import { type ValueRange, zoomed } from './value-range';

defineCheckbox();

const link = openLink<ToDashboard, FromDashboard>(toDashboard, receive);
const model = new DashboardModel(viewSchema.parse(link.kept()?.view ?? {}));

const heads = element('div', { class: 'heads' });
const controls = new Controls((run, verb) => link.post({ type: 'control', run, verb }));
const results = element('section', { class: 'tests', tabindex: 0, 'aria-label': 'Test results' });
const alerts = element('ul', { class: 'alerts', 'aria-label': 'Warnings' });
const settings = element('section', { class: 'differences', 'aria-label': 'Settings that differ' });
const copyResults = element(
  'button',
  {
    class: 'plain',
    title: 'Including the columns that do not fit here',
    hidden: true,
    onclick: () =>
      link.post({ type: 'copy', text: resultsCsv(model.heads, model.pairs), what: 'The results, as CSV,' }),
  },
  'Copy Results as CSV',
);
const compare = element(
  'button',
  { class: 'plain', onclick: () => link.post({ type: 'chooseRuns' }) },
  'Compare with Runs…',
);
const curvesTrouble = element('p', { class: 'dim empty' });
const toolbar = new Toolbar({ choose, zoom, exportCharts });
const panels = new Panels({ point, zoom, pick, step, zoomBy, zeros: (zeros) => choose({ zeros }) });
const table = new UpdatesTable({
  open: (run, row) => openRollouts(run, row),
  copy: (metrics) => link.post({ type: 'copyUpdates', ...columnsOf(metrics) }),
});
const rollouts = new RolloutsPane({
  open: (step) => ask && link.post({ type: 'rollouts', ...ask, step }),
  openFile: () => ask && link.post({ type: 'openRollouts', ...ask }),
  compare: (problemId, sample) => ask && link.post({ type: 'compareChains', ...ask, problemId, sample }),
  close: closeRollouts,
});
const divider = splitter(
  'Size of the rollouts',
  () => model.view.rolloutsShare,
  (rolloutsShare) => {
    model.view = { ...model.view, rolloutsShare };
    keep();
    resizeRollouts();
  },
);
/** The update whose rollouts are open. */
let ask: { run: string; stage: (typeof stageNames)[number]; step: number } | undefined;
let lastPanel: Panel | undefined;

const loading = element('p', { class: 'dim empty' }, 'Loading…');
replaceChildren(
  document.getElementById('page')!,
  element(
    'div',
    { class: 'body' },
    element(
      'main',
      {},
      element('h1', { class: 'spoken' }, 'Dashboard'),
      loading,
      element(
        'div',
        { class: 'top' },
        heads,
        element('div', { class: 'controls' }, compare, copyResults, controls.root),
      ),
      alerts,
      results,
      settings,
      toolbar.root,
      curvesTrouble,
      panels.root,
      table.root,
    ),
    divider,
    rollouts.root,
  ),
);
divider.hidden = true;
resizeRollouts();
onThemeChange(() => panels.repaint());

let waiting = false;
let later = 0;
/** When the page was drawn last, and how long that took, in milliseconds. */
let last = { end: 0, took: 0 };

/** Draws once per frame, however many messages arrive. */
function drawSoon(): void {
  clearTimeout(later);
  later = 0;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

/** While the rows of a long run arrive, drawing them takes at most a fifth of the time. */
function drawLater(): void {
  later ||= window.setTimeout(drawSoon, last.end + 4 * last.took - performance.now());
}

function draw(): void {
  const begun = performance.now();
  model.layOut();
  const charts = model.view.mode === 'charts';
  const empty = model.tracks.every(({ rows }) => rows === 0);
  panels.root.hidden = !charts || empty;
  table.root.hidden = charts || empty;
  curvesTrouble.hidden = !empty || !loading.hidden;
  curvesTrouble.textContent = model.heads.some(({ state }) => state === 'running' || state === 'created')
    ? 'Curves begin with the first update.'
    : 'This run has made no updates.';
  if (charts) panels.draw(model);
  else table.draw(model);
  toolbar.draw(model, panels.available);
  showCursorPlace();
  performance.clearMarks('drawn');
  performance.mark('drawn', { detail: model.tracks.reduce((rows, track) => rows + track.rows, 0) });
  const end = performance.now();
  last = { end, took: end - begun };
}

function drawHeads(): void {
  replaceChildren(heads, ...headsView(model.heads));
  controls.draw(model.heads);
  replaceChildren(alerts, ...alertsView(model.heads, showAlert));
  alerts.hidden = alerts.children.length === 0;
  const tested = model.heads.some((head) => head.results.length > 0);
  replaceChildren(results, resultsTable(model.heads, model.pairs));
  copyResults.hidden = !tested;
  settings.hidden = model.heads.length < 2;
  const open = settings.querySelector('details')?.open === true;
  replaceChildren(settings, ...settingsView(model.heads, model.differences, open));
}

function receive(message: ToDashboard): void {
  switch (message.type) {
    case 'runs':
      loading.hidden = true;
      model.setHeads(message.runs);
      keep();
      drawHeads();
      break;
    case 'rows':
      model.tracks.find(({ run }) => run === message.run)?.take(message);
      if (message.more) drawLater();
      else drawSoon();
      return;
    case 'settings':
      model.differences = message.differences;
      drawHeads();
      break;
    case 'pairs':
      model.pairs = message.pairs;
      drawHeads();
      break;
    case 'rollouts':
      showRollouts(message);
      return;
  }
  drawSoon();
}

function keep(): void {
  link.keep({ subject: { runs: model.heads.map(({ folder }) => folder) }, view: model.view });
}

function choose(change: Partial<DashboardView>): void {
  if (change.axis || change.stages) {
    model.zoom = null;
    model.cursor = null;
  }
  model.view = { ...model.view, ...change };
  keep();
  drawSoon();
}

function point(x: number | null): void {
  model.cursor = x;
  panels.point();
  showCursorPlace();
}

function zoom(range: ValueRange | null): void {
  model.zoom = range && zoomed(range, model.layout.max);
  drawSoon();
}

function zoomBy(factor: number): void {
  const { min, max } = model.range;
  const centre = model.cursor ?? (min + max) / 2;
  const half = ((max - min) / 2) * factor;
  if (half < 1) return;
  zoom(2 * half >= model.layout.max ? null : { min: centre - half, max: centre + half });
}

function step(by: number | 'first' | 'last'): void {
  const run = model.layout.placed.findIndex(({ rows }) => rows.length > 0);
  if (run < 0) return;
  const placed = model.layout.placed[run];
  const last = placed.rows.length - 1;
  const at = model.cursor === null ? last : nearest(placed, model.cursor);
  let to = by === 'first' ? 0 : last;
  if (typeof by === 'number') to = Math.min(last, Math.max(0, at + by));
  const x = placed.x[to];
  if (model.zoom && (x < model.zoom.min || x > model.zoom.max)) {
    const half = (model.zoom.max - model.zoom.min) / 2;
    zoom({ min: x - half, max: x + half });
  }
  point(x);
}

/** The update at a position; with several runs, that of the line nearest to the click. */
function pick(x: number, panel: Panel, value?: number): void {
  lastPanel = panel;
  const there = model.tracks.flatMap((track, run) => {
    const row = model.rowAt(run, x);
    if (row < 0) return [];
    const away = Math.min(
      ...panel.metrics.map(({ key }) => Math.abs((track.value(key, row) ?? Number.POSITIVE_INFINITY) - (value ?? 0))),
    );
    return [{ run, row, away: value === undefined ? run : away }];
  });
  const [first] = there.sort((a, b) => a.away - b.away);
  if (first) openRollouts(first.run, first.row);
}

function openRollouts(run: number, row: number): void {
  const track = model.tracks[run];
  link.post({ type: 'rollouts', run: track.run, stage: stageNames[track.stage[row]], step: track.step[row] });
}

function showRollouts(message: Extract<ToDashboard, { type: 'rollouts' }>): void {
  const run = model.tracks.findIndex((track) => track.run === message.run);
  if (run < 0) return;
  ask = { run: message.run, stage: message.stage, step: message.step };
  divider.hidden = false;
  rollouts.show(message, model.heads[run].id);
  const x = positionOf(model.tracks[run], model.layout.placed[run], message.stage, message.step);
  if (x !== undefined) point(x);
}

function resizeRollouts(): void {
  rollouts.root.style.flexBasis = `${100 * model.view.rolloutsShare}%`;
}

function closeRollouts(): void {
  rollouts.hide();
  divider.hidden = true;
  ask = undefined;
  if (lastPanel) panels.focus(lastPanel.id);
}

function showAlert(run: number, { stage, step: at, metric }: Alert): void {
  const shown = model.stagesShown();
  if (!shown.has(stageNames.indexOf(stage))) choose({ stages: [...[...shown].map((i) => stageNames[i]), stage] });
  model.view.mode = 'charts';
  draw();
  const names = metric === 'loss' ? ['policyLoss', 'crossEntropy'] : [metric];
  const panel = panels.available.find(({ metrics }) => metrics.some(({ key }) => names.includes(key)));
  const x = positionOf(model.tracks[run], model.layout.placed[run], stage, at);
  if (x !== undefined) point(x);
  if (panel) panels.focus(panel.id);
}

function showCursorPlace(): void {
  const x = model.cursor;
  const run = x === null ? -1 : model.tracks.findIndex((_, i) => model.rowAt(i, x) >= 0);
  if (x === null || run < 0) {
    toolbar.point('');
    return;
  }
  const row = model.rowAt(run, x);
  const time = model.tracks[run].time[row];
  const clock = model.tracks.length === 1 && Number.isFinite(time) ? ` · ${new Date(time).toLocaleTimeString()}` : '';
  toolbar.point(`${model.placeText(run, row)}${clock}`);
}

function exportCharts(): void {
  const sheet = panels.sheet();
  const shown = panels.available.filter(({ id }) => !model.view.hidden.includes(id));
  link.post({
    type: 'exportCharts',
    svg: svgOf(sheet),
    png: pngOf(sheet, devicePixelRatio),
    ...columnsOf(shown.flatMap(({ metrics }) => metrics.map(({ key }) => key))),
  });
}

/** The content of the CSV of these metrics, for the displayed stages. */
function columnsOf(metrics: readonly string[]) {
  return {
    metrics: [...new Set(metrics.map(recorded))],
    stages: [...model.stagesShown()].map((i) => stageNames[i]),
  };
}

/** As named in the run folder. */
function recorded(metric: string): string {
  return metric === 'crossEntropy' || metric === 'policyLoss' ? 'loss' : metric;
}
