/** The toolbar: case, overlay, layout, search. */
import type { CaseView, ChainView } from '../../src/protocol/chain-diff';
import { element } from '../common/dom';
import { explain } from '../common/explain';
import { defineFields, type TextField } from '../common/toolkit';
import { visibleNodes } from '../common/visible';
import { roleTitles } from './heads';
import { missingFor, type Overlay, overlays, overlayTexts } from './overlays';
import { pairsOf, type ViewState } from './state';

export interface DiffToolbarActions {
  overlay(overlay: Overlay): void;
  inline(on: boolean): void;
  /** Formulas rendered, or as written. */
  rendered(): void;
  pair(pair: ViewState['pair']): void;
  go(by: -1 | 1): void;
  choose(): void;
  help(): void;
}

export function makeToolbar(
  view: CaseView,
  state: ViewState & { isRendered: boolean },
  actions: DiffToolbarActions,
): HTMLElement {
  const { place } = view;
  const button = (text: string, attributes: Record<string, string | boolean>, onclick: () => void) =>
    element('button', { class: 'plain', ...attributes, onclick }, text);
  const step = (by: -1 | 1, text: string, label: string) =>
    button(text, { 'aria-label': label, title: label, disabled: place.count < 2 }, () => actions.go(by));
  return element(
    'div',
    { class: 'bar', role: 'toolbar', 'aria-label': 'Chain diff' },
    element(
      'button',
      { class: 'case-name', title: `${view.runName}: choose another run or problem`, onclick: actions.choose },
      ...visibleNodes(view.subject.problemId),
    ),
    view.category ? element('span', { class: 'chip' }, view.category) : null,
    element('span', { class: 'space' }),
    overlayChoice(state.overlay, overlaysWithoutValues(view), actions),
    element('span', { class: 'space' }),
    step(-1, '◀', 'Previous case ([)'),
    element('span', { class: 'place', title: `of ${place.count} ${place.of}` }, `${place.number} / ${place.count}`),
    step(1, '▶', 'Next case (])'),
    button('Inline', { 'aria-pressed': String(state.inline), 'data-testid': 'inline' }, () =>
      actions.inline(!state.inline),
    ),
    button(
      'Render',
      { 'aria-pressed': String(state.isRendered), title: 'Render formulas and Markdown (L)' },
      actions.rendered,
    ),
    state.inline ? pairChoice(view, state, actions) : null,
    button('?', { 'aria-label': '? Keys', title: 'Keys (?)' }, actions.help),
  );
}

/** Overlays for which no sampled chain has values. */
function overlaysWithoutValues({ student, rewritten, teacher }: CaseView): Overlay[] {
  const sampled = [student, rewritten].filter((chain) => chain !== null);
  const chains = sampled.length > 0 ? sampled : [teacher].filter((chain) => chain !== null);
  return overlays.filter((overlay) => chains.every((chain) => missingFor(chain, overlay) !== null));
}

function overlayChoice(current: Overlay, lacking: readonly Overlay[], actions: DiffToolbarActions): HTMLElement {
  const buttons = overlays.map((overlay, i) => {
    const { label, about } = overlayTexts[overlay];
    const chosen = overlay === current;
    const lacks = lacking.includes(overlay);
    const button = element(
      'button',
      {
        class: lacks ? 'plain lacks' : 'plain',
        role: 'radio',
        'aria-label': lacks ? `${label}, not recorded` : undefined,
        'aria-checked': String(chosen),
        tabindex: chosen ? 0 : -1,
        'data-testid': `overlay-${overlay}`,
        onclick: () => actions.overlay(overlay),
      },
      label,
    );
    explain(button, () => [element('p', {}, about), element('p', { class: 'dim' }, `Key ${i + 1}`)]);
    return button;
  });
  const made = element('div', { class: 'overlays', role: 'radiogroup', 'aria-label': 'Overlay' }, ...buttons);
  made.addEventListener('keydown', (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    actions.overlay(overlays[(overlays.indexOf(current) + by + overlays.length) % overlays.length]);
  });
  return made;
}

function pairChoice(view: CaseView, state: ViewState, actions: DiffToolbarActions): HTMLElement {
  defineFields(); // takes some milliseconds, so it is done after the first rows are drawn
  const pairs = pairsOf(view);
  const dropdown = element('vscode-dropdown', { 'aria-label': 'Chains that are compared', class: 'pair' });
  for (const pair of pairs) {
    const [left, right] = pair;
    const chosen = pair.join() === state.pair.join();
    dropdown.append(
      element('vscode-option', { value: pair.join(), selected: chosen }, `${roleTitles[left]} → ${roleTitles[right]}`),
    );
  }
  dropdown.addEventListener('change', () => {
    const value = (dropdown as HTMLElement & { value: string }).value;
    const pair = pairs.find((one) => one.join() === value);
    if (pair) actions.pair(pair);
  });
  return dropdown;
}

/**
 * The meaning of the current overlay's marks, or why there are none: one line for each overlay, so that the layout does
 * not shift.
 */
export function makeLegend(overlay: Overlay, chains: readonly ChainView[], rendered: boolean): HTMLElement {
  const legend = (text: string, ...marks: (Node | string)[]) =>
    element('div', { class: 'legend dim', title: text, 'data-testid': 'legend' }, ...marks);
  const mark = (classes: string, text = '\u2003') => element('span', { class: classes, 'aria-hidden': 'true' }, text);
  const { about, legend: levels } = overlayTexts[overlay];
  if (rendered) {
    const text = 'Formulas and Markdown are rendered. Render (L) shows the text as written, with differences.';
    return legend(text, text);
  }
  if (overlay === 'diff' && chains.length < 2) {
    const text = 'There is only one chain, so there is nothing to compare.';
    return legend(text, text);
  }
  if (overlay === 'diff')
    return legend(
      about,
      ...[mark('deletion', 'abc'), ' only the teacher  ', mark('insertion student', 'abc'), ' only the student  '],
      ...[mark('insertion rewritten', 'abc'), ' only the rewrite  ', mark('gap-mark wide'), ' missing here'],
    );
  // Teachers' chains are never sampled, so they matter only if nothing else is shown.
  const sampled = chains.filter(({ role }) => role !== 'teacher');
  const missing = (sampled.length > 0 ? sampled : chains).map((chain) => missingFor(chain, overlay));
  if (missing.length > 0 && missing.every((why) => why !== null)) {
    const text = `Nothing to show: ${[...new Set(missing)].join('; ')}.`;
    return legend(text, element('b', { role: 'status' }, ...visibleNodes(text)), ` ${about}`);
  }
  const raised = overlay === 'advantage' ? ' raised' : '';
  const marks = levels ? [1, 2, 3, 4].map((level) => mark(`level-${level}${raised}`)) : [];
  return legend(about, ...marks, ...(levels ? [` ${levels}  `] : []), about);
}

export interface SearchActions {
  /** The text has changed. */
  find(query: string): void;
  /** The next match, or the one before. */
  next(by: -1 | 1): void;
  close(): void;
}

export interface SearchBox {
  root: HTMLElement;
  focus(): void;
  /** "3 of 12" */
  say(text: string): void;
}

export function makeSearchBox(actions: SearchActions): SearchBox {
  defineFields();
  const label = 'Find in the chains';
  const field = element('vscode-text-field', { placeholder: label }) as TextField;
  const count = element('span', { class: 'dim', role: 'status' });
  const button = (text: string, label: string, onclick: () => void) =>
    element('button', { class: 'plain', 'aria-label': label, title: label, onclick }, text);
  field.addEventListener('input', () => actions.find(field.value));
  const root = element(
    'div',
    { class: 'search', role: 'search' },
    field,
    count,
    button('↑', 'Previous match (Shift+Enter)', () => actions.next(-1)),
    button('↓', 'Next match (Enter)', () => actions.next(1)),
    button('✕', 'Close the search (Escape)', () => actions.close()),
  );
  root.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target === field) actions.next(event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape') actions.close();
    else if (event.target !== field) return;
    event.stopPropagation();
  });
  const focus = () => {
    // The toolkit labels a field "Text field" when it is inserted into the page.
    field.setAttribute('aria-label', label);
    field.focus();
  };
  const say = (text: string) => {
    count.textContent = text;
  };
  return { root, focus, say };
}
