import type { RunHead, SettingDifference } from '../../src/protocol/dashboard';
import { element, table } from '../common/dom';
import { visibleNodes } from '../common/visible';
import { letterOf, swatch } from './theme';

/** Number of settings shown at once: the most important come first. */
const shownAtOnce = 5;

/** The settings that differ between runs: a row per setting, a column per run; all but the first few are folded. */
export function settingsView(
  heads: readonly RunHead[],
  differences: readonly SettingDifference[],
  open: boolean,
): Node[] {
  const [first, rest] = [differences.slice(0, shownAtOnce), differences.slice(shownAtOnce)];
  if (first.length === 0) return [element('p', { class: 'dim' }, 'No setting differs.')];
  const more = `${rest.length} more ${rest.length === 1 ? 'setting differs' : 'settings differ'}`;
  return [
    settingsTable(heads, first, 'Settings that differ'),
    ...(rest.length > 0
      ? [element('details', { open }, element('summary', {}, more), settingsTable(heads, rest, more))]
      : []),
  ];
}

function settingsTable(heads: readonly RunHead[], differences: readonly SettingDifference[], caption: string): Node {
  return table(
    { class: 'settings' },
    caption,
    [
      element('th', { scope: 'col' }, 'Setting that differs'),
      ...heads.map(({ id }, run) =>
        element('th', { scope: 'col', title: id }, swatch(run), element('span', { class: 'letter' }, letterOf(run))),
      ),
    ],
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
              : element('td', { class: 'foreign', title: value }, ...visibleNodes(value)),
          ),
        ),
      ),
    ),
  );
}
