import type { Completion, Group, RolloutsMessage } from '../../src/protocol/dashboard';
import { stageTitles } from '../../src/stages';
import { element, replaceChildren } from '../common/dom';
import { verdictOf } from '../common/verdict';
import { visibleNodes } from '../common/visible';
import { minus, valueText } from './metrics';

export interface RolloutsActions {
  open(step: number): void;
  openFile(): void;
  compare(problemId: string, sample: number): void;
  close(): void;
}

type Filter = 'all' | 'right' | 'wrong' | 'cut off';

/** The completions of one update, a group a prompt, beside the curves. */
export class RolloutsPane {
  readonly root = element('aside', { class: 'rollouts', 'aria-label': 'Rollouts', hidden: true });
  private message: RolloutsMessage | undefined;
  private filter: Filter = 'all';

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
    this.draw(title);
    if (fresh) this.root.querySelector<HTMLElement>('h2')?.focus();
  }

  hide(): void {
    this.root.hidden = true;
    this.root.replaceChildren();
    this.message = undefined;
  }

  private draw(title: string): void {
    const { stage, step, previous, next, groups, problem } = this.message!;
    const list = element('div', {
      class: 'groups',
      tabindex: 0,
      role: 'region',
      'aria-label': 'Prompts and completions',
    });
    const fill = () => {
      const shown = groups.map((group) => ({ ...group, completions: group.completions.filter(this.passes) }));
      const some = shown.filter(({ completions }) => completions.length > 0);
      replaceChildren(list, ...some.map((group) => this.group(group)));
      if (some.length === 0 && !problem) list.append(element('p', { class: 'dim' }, 'None of these.'));
    };
    const all = groups.flatMap(({ completions }) => completions);
    const counts: [Filter, number][] = [
      ['all', all.length],
      ['right', all.filter(({ correct }) => correct).length],
      ['wrong', all.filter(({ correct }) => correct === false).length],
      ['cut off', all.filter(({ finished }) => !finished).length],
    ];
    const filters = counts.map(([name, count]) => {
      const chosen = button(`${name} ${count}`, `Show ${name}`, () => {
        this.filter = name;
        for (const [i, other] of filters.entries()) other.setAttribute('aria-pressed', String(counts[i][0] === name));
        fill();
      });
      chosen.setAttribute('aria-pressed', String(this.filter === name));
      return chosen;
    });
    replaceChildren(
      this.root,
      element(
        'header',
        {},
        button('◀', 'Update before', previous === undefined ? undefined : () => this.actions.open(previous)),
        button('▶', 'Update after', next === undefined ? undefined : () => this.actions.open(next)),
        element('h2', { title, tabindex: -1 }, `${stageTitles[stage]}, step ${step}`),
        element('span', { class: 'space' }),
        problem ? null : button('File', 'Open the file of these rollouts', this.actions.openFile),
        button('✕', 'Close (Escape)', this.actions.close),
      ),
      problem
        ? element('p', { class: 'trouble foreign' }, ...visibleNodes(problem))
        : element('div', { class: 'filters' }, ...filters),
      list,
    );
    fill();
  }

  private readonly passes = ({ correct, finished }: Completion): boolean => {
    if (this.filter === 'right') return correct === true;
    if (this.filter === 'wrong') return correct === false;
    return this.filter === 'all' || !finished;
  };

  private group({ problemId, prompt, teacherTokens, completions }: Group): Node {
    const right = completions.filter(({ correct }) => correct).length;
    const judged = completions.some(({ correct }) => correct !== null);
    return element(
      'section',
      { class: 'group' },
      element(
        'header',
        {},
        element('h3', { class: 'foreign' }, ...visibleNodes(problemId)),
        element(
          'span',
          { class: 'dim' },
          `${judged ? `${right} of ${completions.length} right` : `${completions.length} completions`}${teacherTokens === undefined ? '' : ` · teacher ${teacherTokens} tokens`}`,
        ),
      ),
      element('pre', { class: 'prompt foreign' }, ...visibleNodes(prompt.trimEnd())),
      element('ol', {}, ...completions.map((completion) => this.completion(problemId, completion))),
    );
  }

  private completion(problemId: string, completion: Completion): Node {
    const { sample, text, tokens, reward, parts, advantage, answer, finished } = completion;
    const verdict = verdictOf(completion.correct);
    const number = (value: number | null) => (value === null ? 'does not apply' : valueText(value, 'number'));
    const partsText = Object.entries(parts).map(([name, value]) => `${name} ${number(value)}`);
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
              `adv ${valueText(advantage, 'number')}`,
            ),
        element('span', { class: 'dim parts' }, partsText.join(' · ')),
        button('Compare', 'Compare with the teacher, token by token', () => this.actions.compare(problemId, sample)),
      ),
      element('pre', { class: 'completion foreign' }, ...visibleNodes(text.trim())),
    );
  }
}

function button(text: string, label: string, act: (() => void) | undefined): HTMLButtonElement {
  const made = element(
    'button',
    { class: 'plain', title: label, 'aria-label': `${label}${/^\w/.test(text) ? `: ${text}` : ''}` },
    text,
  );
  made.disabled = !act;
  if (act) made.addEventListener('click', act);
  return made;
}
