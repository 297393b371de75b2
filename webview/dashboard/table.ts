import { shortPhaseTitle, stageNames } from '../../src/stages';
import { element, replaceChildren, table } from '../common/dom';
import { type Metric, panelsOf, valueText } from './metrics';
import type { DashboardModel } from './model';
import { letterOf, swatch } from './theme';

const pageRows = 100;

export interface TableActions {
  open(run: number, row: number): void;
  copy(metrics: string[]): void;
}

/** The numbers of the curves as a table: newest last, in pages. */
export class UpdatesTable {
  readonly root = element('div', { class: 'updates' });
  private run = 0;
  /** undefined: the last page, even when more arrive. */
  private page: number | undefined;

  constructor(private readonly actions: TableActions) {}

  draw(model: DashboardModel): void {
    this.run = Math.min(this.run, model.tracks.length - 1);
    const track = model.tracks[this.run];
    const rows = model.layout.placed[this.run]?.rows ?? new Uint32Array();
    const last = Math.max(0, Math.ceil(rows.length / pageRows) - 1);
    const page = Math.min(this.page ?? last, last);
    const from = page * pageRows;
    const shown = rows.subarray(from, from + pageRows);
    const metrics = panelsOf(model.tracks)
      .filter(({ id }) => !model.view.hidden.includes(id))
      .flatMap((panel) => panel.metrics)
      .filter(({ key }) => track.column(key));
    // Supervised and sampled updates have different metrics.
    const here = metrics.filter(({ key }) => shown.some((row) => track.value(key, row) !== undefined));
    const turn = (to: number) => {
      this.page = to >= last ? undefined : Math.max(0, to);
      this.draw(model);
    };
    const { scrollTop: top = 0, scrollLeft: left = 0 } = this.root.querySelector('.scroller') ?? {};
    const focused = (document.activeElement as HTMLElement | null)?.dataset.key;
    replaceChildren(
      this.root,
      element(
        'div',
        { class: 'pager' },
        model.tracks.length > 1 ? this.runChoice(model) : null,
        pagerButton('first', 'First', page > 0, () => turn(0)),
        pagerButton('before', '◀ Previous', page > 0, () => turn(page - 1)),
        element(
          'span',
          {},
          rows.length === 0 ? 'no updates' : `${from + 1} to ${from + shown.length} of ${rows.length} updates`,
        ),
        pagerButton('after', 'Next ▶', page < last, () => turn(page + 1)),
        pagerButton('last', 'Last', page < last, () => turn(last)),
        pagerButton('copy', 'Copy All as CSV', rows.length > 0, () => this.actions.copy(metrics.map(({ key }) => key))),
      ),
      element(
        'div',
        { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'Updates' },
        this.table(model, here, shown),
      ),
    );
    this.root.querySelector('.scroller')!.scrollTo({ top, left });
    if (focused) this.root.querySelector<HTMLElement>(`[data-key="${focused}"]`)?.focus();
  }

  private runChoice(model: DashboardModel): Node {
    const choice = element('span', { class: 'choices', role: 'group', 'aria-label': 'Run' });
    for (const [i, { id }] of model.heads.entries()) {
      const onclick = () => {
        this.run = i;
        this.page = undefined;
        this.draw(model);
      };
      const attributes = { class: 'plain', 'aria-pressed': String(i === this.run), 'data-key': `run-${i}`, title: id };
      choice.append(element('button', { ...attributes, onclick }, swatch(i), ` ${letterOf(i)}`));
    }
    return choice;
  }

  private table(model: DashboardModel, metrics: readonly Metric[], rows: Uint32Array): Node {
    const track = model.tracks[this.run];
    return table(
      {},
      `Updates of ${model.heads[this.run]?.id ?? ''}`,
      [
        element('th', { scope: 'col' }, 'Update'),
        element('th', { scope: 'col' }, 'Time'),
        ...metrics.map(({ title, explain }) => element('th', { scope: 'col', title: explain, class: 'number' }, title)),
      ],
      element(
        'tbody',
        {},
        ...[...rows].map((row) => {
          const stage = stageNames[track.stage[row]];
          const phase = track.phases[track.phase[row]];
          const name = `${shortPhaseTitle(stage, phase)} · ${track.step[row]}`;
          const onclick = () => this.actions.open(this.run, row);
          const open = element('button', { class: 'link', title: 'Show the rollouts of this update', onclick }, name);
          const time = track.time[row];
          return element(
            'tr',
            {},
            element('th', { scope: 'row' }, track.sampled(row) ? open : name),
            element('td', { class: 'dim' }, Number.isFinite(time) ? new Date(time).toLocaleTimeString() : ''),
            ...metrics.map(({ key, unit }) => {
              const value = track.value(key, row);
              return element('td', { class: 'number' }, value === undefined ? '' : valueText(value, unit));
            }),
          );
        }),
      ),
    );
  }
}

const pagerButton = (key: string, text: string, enabled: boolean, onclick: () => void) =>
  element('button', { class: 'plain', disabled: !enabled, 'data-key': key, onclick }, text);
