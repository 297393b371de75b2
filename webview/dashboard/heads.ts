import type { Alert, RunHead } from '../../src/protocol/dashboard';
import { phaseTitle, shortStageTitles } from '../../src/stages';
import { startText } from '../../src/start';
import { plural, timeLeftText } from '../../src/words';
import { element } from '../common/dom';
import { visibleNodes } from '../common/visible';
import { letterOf, swatch } from './theme';

/**
 * For each run its name and state, and a progress line that stays until the run has ended, so that the layout does not
 * shift when it pauses or is tested. Then the parts that could not be read.
 */
export function headsView(heads: readonly RunHead[]): Node[] {
  return heads.map((head, i) =>
    element(
      'div',
      { class: 'run' },
      heads.length > 1 ? swatch(i) : null,
      heads.length > 1 ? element('span', { class: 'letter' }, letterOf(i)) : null,
      element('h2', { class: 'foreign', title: head.folder }, ...visibleNodes(head.label ?? head.id)),
      element('span', { class: `state state-${head.state}` }, head.state),
      head.backend
        ? element('span', { class: 'dim foreign', title: 'Backend and device' }, ...visibleNodes(head.backend))
        : null,
      head.reason ? element('span', { class: 'foreign reason' }, ...visibleNodes(head.reason)) : null,
      head.state === 'finished' || head.state === 'unreadable' ? null : standing(head),
      ...head.problems.map((problem) => element('p', { class: 'trouble foreign' }, ...visibleNodes(problem))),
    ),
  );
}

function standing(head: RunHead): HTMLElement {
  const { done, planned = 0 } = head.progress ?? { done: 0 };
  const bar = element('progress', { max: Math.max(1, planned), 'aria-label': 'Updates of this phase' });
  bar.value = Math.min(done, planned);
  return element('div', { class: 'standing' }, bar, element('span', { class: 'dim' }, runStateText(head)));
}

function runStateText({ state, progress, start }: RunHead): string {
  if (!progress) return state === 'running' ? `Testing ${startText(start)}` : 'No updates yet';
  const { stage, phase, done, planned, secondsLeft } = progress;
  const count = planned === undefined ? plural(done, 'update') : `update ${done} of ${planned}`;
  const at = `${phaseTitle(stage, phase)}: ${count}`;
  if (state !== 'running' || secondsLeft === undefined) return at;
  return `${at} · ${secondsLeft === 0 ? 'testing' : timeLeftText(secondsLeft)}`;
}

/** Warnings in words; a click goes to the curve that shows the problem. */
export function alertsView(heads: readonly RunHead[], show: (run: number, alert: Alert) => void): Node[] {
  return heads.flatMap((head, run) =>
    head.alerts.map((alert) => {
      const place = `${shortStageTitles[alert.stage]}, update ${alert.step}`;
      return element(
        'li',
        { class: `alert ${alert.level}` },
        element('strong', {}, alert.level === 'error' ? 'Broken' : 'Warning'),
        heads.length > 1 ? swatch(run) : null,
        heads.length > 1 ? element('span', { class: 'letter', title: head.id }, letterOf(run)) : null,
        element('button', { class: 'plain', onclick: () => show(run, alert) }, place),
        element('span', { class: 'foreign' }, ...visibleNodes(alert.text)),
        alert.remedy ? element('span', { class: 'dim' }, alert.remedy) : null,
      );
    }),
  );
}
