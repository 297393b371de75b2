import type { DashboardCompletion, DashboardGroup, RolloutsMessage } from '../../src/protocol/dashboard';
import { stageTitles } from '../../src/stages';
import { minus } from '../../src/words';
import { element, replaceChildren } from '../common/dom';
import { verdictOf } from '../common/verdict';
import { visibleNodes } from '../common/visible';
import { valueText } from './metrics';
import { type Filter, filters, matchingGroups, type Order, orders, passes } from './rollout-list';

export interface RolloutsActions {
  open(step: number): void;
  openFile(): void;
  compare(problemId: string, sample: number): void;
  close(): void;
}

/** The completions of one update by prompt, beside the curves. */
export class RolloutsPane {
  readonly root = element('aside', { class: 'rollouts', 'aria-label': 'Rollouts', hidden: true });
  private readonly list = element('div', {
    class: 'groups',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Prompts and completions',
  });
  private message: RolloutsMessage | undefined;
  private filter: Filter = 'all';
  private order: Order = 'batch';
  private query = '';
  /** Collapsed groups. */
  private readonly folded = new Set<number>();

  constructor(private readonly actions: RolloutsActions) {
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || this.root.hidden || document.querySelector(':popover-open')) return;
      event.preventDefault();
      actions.close();
    });
  }

  get open(): boolean {
    return !this.root.hidden;
  }

  show(message: RolloutsMessage, title: string): void {
    const fresh = this.root.hidden;
    this.message = message;
    this.root.hidden = false;
    this.folded.clear();
    this.draw(title);
    if (fresh) this.root.querySelector<HTMLElement>('h2')?.focus();
  }

  hide(): void {
    this.root.hidden = true;
    this.root.replaceChildren();
    this.message = undefined;
  }

  private draw(title: string): void {
    const { stage, step, previous, next, problem, groups } = this.message!;
    const turn = (text: string, label: string, to: number | undefined) =>
      button(text, label, to === undefined ? undefined : () => this.actions.open(to));
    replaceChildren(
      this.root,
      element(
        'header',
        {},
        turn('◀', 'Previous update', previous),
        turn('▶', 'Next update', next),
        element('h2', { title, tabindex: -1 }, `${stageTitles[stage]}, update ${step}`),
        element('span', { class: 'space' }),
        problem ? null : button('Open File', 'Open File of these rollouts', this.actions.openFile),
        button('✕', 'Close rollouts (Escape)', this.actions.close),
      ),
      problem ? element('p', { class: 'trouble foreign' }, ...visibleNodes(problem)) : null,
      problem && groups.length === 0 ? null : this.choices(),
      this.list,
    );
    this.fill();
  }

  /** Filter and order of the groups. */
  private choices(): Node {
    const all = this.message!.groups.flatMap(({ completions }) => completions);
    const buttons = filters.map((name) => {
      const count = all.filter((one) => passes(one, name)).length;
      const onclick = () => {
        this.filter = name;
        press();
        this.fill();
      };
      return element('button', { class: 'plain', onclick }, `${name} ${count}`);
    });
    const press = () => {
      for (const [i, name] of filters.entries()) buttons[i].setAttribute('aria-pressed', String(this.filter === name));
    };
    press();
    const search = element('input', { type: 'search', placeholder: 'Find', 'aria-label': 'Find in rollouts' });
    search.value = this.query;
    search.addEventListener('input', () => {
      this.query = search.value;
      this.fill();
    });
    const order = select('Order of completions', Object.entries(orders), (value) => {
      this.order = value as Order;
      this.fill();
    });
    order.value = this.order;
    const problems = this.message!.groups.map(({ problemId }, i) => [String(i), problemId] as [string, string]);
    const jump = select('Go to problem', [['', 'Go to problem…'], ...problems], (value) => {
      jump.value = '';
      if (value !== '') this.jump(this.message!.groups[Number(value)]);
    });
    const fold = button('Fold All', 'Fold All groups, or unfold them', () => {
      const groups = this.message!.groups.map(({ group }) => group);
      const every = groups.every((group) => this.folded.has(group));
      this.folded.clear();
      if (!every) for (const group of groups) this.folded.add(group);
      this.fill();
    });
    return element(
      'div',
      { class: 'filters' },
      element('span', { class: 'choices', role: 'group', 'aria-label': 'Completions shown' }, ...buttons),
      search,
      order,
      jump,
      fold,
    );
  }

  private fill(): void {
    const { filter, order, query } = this;
    const { groups, problem } = this.message!;
    const shown = matchingGroups(groups, { filter, order, query });
    replaceChildren(this.list, ...shown.map((group) => this.group(group)));
    if (shown.length === 0 && !problem)
      this.list.append(element('p', { class: 'dim empty' }, 'No completion matches.'));
  }

  /** Shows a group, and unfolds what hides it. */
  private jump({ group }: DashboardGroup): void {
    this.folded.delete(group);
    if (!this.list.querySelector(`[data-group="${group}"]`)) {
      this.filter = 'all';
      this.query = '';
      this.draw(this.root.querySelector('h2')?.title ?? '');
    } else this.fill();
    const shown = this.list.querySelector<HTMLElement>(`[data-group="${group}"]`);
    shown?.scrollIntoView({ block: 'start' });
    shown?.querySelector<HTMLElement>('button')?.focus({ preventScroll: true });
  }

  private group({ problemId, group, prompt, teacherTokens, completions }: DashboardGroup): Node {
    const right = completions.filter(({ correct }) => correct).length;
    const judged = completions.some(({ correct }) => correct !== null);
    const body = element(
      'div',
      { hidden: this.folded.has(group) },
      element('pre', { class: 'prompt foreign' }, ...visibleNodes(prompt.trimEnd())),
      element('ol', {}, ...completions.map((completion) => this.completion(problemId, completion))),
    );
    const fold = element(
      'button',
      { class: 'title fold foreign', 'aria-expanded': String(!body.hidden) },
      ...visibleNodes(problemId),
    );
    fold.addEventListener('click', () => {
      body.hidden = !body.hidden;
      fold.setAttribute('aria-expanded', String(!body.hidden));
      if (body.hidden) this.folded.add(group);
      else this.folded.delete(group);
    });
    return element(
      'section',
      { class: 'group', 'data-group': group },
      element(
        'header',
        {},
        element('h3', {}, fold),
        element(
          'span',
          { class: 'dim' },
          judged ? `${right} of ${completions.length} right` : `${completions.length} completions`,
          teacherTokens === undefined ? '' : ` · teacher ${teacherTokens} tokens`,
        ),
      ),
      body,
    );
  }

  private completion(problemId: string, completion: DashboardCompletion): Node {
    const { sample, text, tokens, reward, parts, advantage, answer, finished } = completion;
    const verdict = verdictOf(completion.correct);
    const partsText = Object.entries(parts).map(
      ([name, value]) => `${name} ${value === null ? 'n/a' : valueText(value, 'number')}`,
    );
    const compare = `Compare completion ${sample + 1} of ${problemId} with the teacher`;
    return element(
      'li',
      { class: verdict?.said ?? '' },
      element(
        'div',
        { class: 'facts' },
        element('strong', { title: 'Reward' }, reward === null ? 'no reward' : minus(reward.toFixed(2))),
        element(
          'span',
          { class: verdict?.class ?? '' },
          verdict ? `${verdict.mark} ` : '',
          element('span', { class: 'foreign' }, ...(answer === null ? ['no answer'] : visibleNodes(answer))),
          element('span', { class: 'spoken' }, verdict ? ` ${verdict.said}` : ''),
        ),
        element('span', { class: 'dim' }, `${tokens} tokens${finished ? '' : ', cut off'}`),
        advantage === null
          ? null
          : element(
              'span',
              { class: 'dim', title: 'Advantage: how far above its group' },
              `advantage ${valueText(advantage, 'number')}`,
            ),
        element('span', { class: 'space' }),
        button('Compare', compare, () => this.actions.compare(problemId, sample)),
      ),
      element(
        'div',
        { class: 'dim parts', title: 'Reward components; n/a: the component does not apply' },
        partsText.join(' · '),
      ),
      element('pre', { class: 'completion foreign' }, ...visibleNodes(text.trim())),
    );
  }
}

const button = (text: string, label: string, onclick: (() => void) | undefined) =>
  element('button', { class: 'plain', title: label, 'aria-label': label, disabled: !onclick, onclick }, text);

function select(label: string, options: readonly (readonly [string, string])[], change: (value: string) => void) {
  const made = element(
    'select',
    { 'aria-label': label },
    ...options.map(([value, text]) => element('option', { value }, ...visibleNodes(text))),
  );
  made.addEventListener('change', () => change(made.value));
  return made;
}
