import type { Alert, Difference, RunHead } from '../../src/protocol/dashboard';
import { shortStageTitles, stageTitles } from '../../src/stages';
import { startText } from '../../src/start';
import { element } from '../common/dom';
import { visibleNodes } from '../common/visible';
import { duration } from './metrics';
import { letterOf, swatch } from './theme';

/** A line a run: its name, where it stands, how long it still takes; and what of it could not be read. */
export function headsView(heads: readonly RunHead[]): Node[] {
  return heads.map((head, i) =>
    element(
      'div',
      { class: 'run' },
      heads.length > 1 ? swatch(i) : null,
      heads.length > 1 ? element('span', { class: 'letter' }, letterOf(i)) : null,
      element('h2', { class: 'foreign', title: head.folder }, ...visibleNodes(head.id)),
      element('span', { class: `state state-${head.state}` }, head.state),
      element('span', { class: 'dim' }, progressText(head)),
      head.progress?.planned && head.state === 'running'
        ? progressBar(head.progress.done, head.progress.planned)
        : null,
      head.reason ? element('span', { class: 'foreign' }, ...visibleNodes(head.reason)) : null,
      ...head.problems.map((problem) => element('p', { class: 'trouble foreign' }, ...visibleNodes(problem))),
    ),
  );
}

function progressText({ state, progress, results, start }: RunHead): string {
  if (!progress) return state === 'running' && results.length === 0 ? `testing ${startText(start)}` : '';
  const { stage, phase, done, planned, secondsLeft } = progress;
  if (state === 'finished') return '';
  const what = `${stageTitles[stage]}${phase === stage ? '' : ` (${phase})`}`;
  const of = planned === undefined ? `${done} updates` : `update ${done} of ${planned}`;
  if (state !== 'running' || secondsLeft === undefined) return `${what}, ${of}`;
  if (secondsLeft === 0) return `${what}, ${of}: checking and testing`;
  return `${what}, ${of}; about ${duration(secondsLeft)} left of this ${phase === stage ? 'stage' : 'phase'}`;
}

function progressBar(done: number, planned: number): HTMLElement {
  const bar = element('progress', { max: planned, 'aria-label': 'Updates of this phase' });
  bar.value = Math.min(done, planned);
  return bar;
}

/** What to look at, in words; a click goes to the curve that shows it. */
export function alertsView(heads: readonly RunHead[], show: (run: number, alert: Alert) => void): Node[] {
  return heads.flatMap((head, run) =>
    head.alerts.map((alert) => {
      const go = element('button', { class: 'plain' }, `${shortStageTitles[alert.stage]}, step ${alert.step}`);
      go.addEventListener('click', () => show(run, alert));
      return element(
        'li',
        { class: `alert ${alert.level}` },
        element('strong', {}, alert.level === 'error' ? 'Broken' : 'Warning'),
        heads.length > 1 ? swatch(run) : null,
        heads.length > 1 ? element('span', { class: 'letter', title: head.id }, letterOf(run)) : null,
        go,
        element('span', { class: 'foreign' }, ...visibleNodes(alert.text)),
        alert.remedy ? element('span', { class: 'dim' }, alert.remedy) : null,
      );
    }),
  );
}

/** The settings that are not the same in all runs: a row a setting, a column a run. */
export function settingsTable(heads: readonly RunHead[], differences: readonly Difference[]): Node {
  if (differences.length === 0) return element('p', { class: 'dim' }, 'No setting differs.');
  return element(
    'table',
    { class: 'settings' },
    element('caption', { class: 'spoken' }, 'Settings that differ'),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'Setting'),
        ...heads.map(({ id }, run) =>
          element('th', { scope: 'col', title: id }, swatch(run), element('span', { class: 'letter' }, letterOf(run))),
        ),
      ),
    ),
    element(
      'tbody',
      {},
      ...differences.map(({ path, values }) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row', class: 'foreign' }, ...visibleNodes(path)),
          ...values.map((value) =>
            value === null
              ? element('td', { class: 'dim' }, 'not set')
              : element('td', { class: 'foreign' }, ...visibleNodes(value)),
          ),
        ),
      ),
    ),
  );
}
