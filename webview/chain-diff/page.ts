/** The page: draws a case and handles the reader's actions. */
import type { CaseView, ChainView } from '../../src/protocol/chain-diff';
import { type ChainSubject, chainRoles, type FromChainPage } from '../../src/protocol/chain-diff-requests';
import { element, redraw, replaceChildren } from '../common/dom';
import { ExplanationBox } from '../common/explain';
import type { ExtensionLink } from '../common/link';
import { visibleNodes } from '../common/visible';
import { differingCells } from './differing';
import { Finder } from './finder';
import { hasFormulas } from './formula-parts';
import { loadMath } from './formulas';
import { makeGroupStrip } from './group-strip';
import { makeHeads, rewriteFrom } from './heads';
import { makeHelp } from './help';
import type { Overlay } from './overlays';
import { alignChains, type DiffRow } from './rows';
import { makeSlider } from './slider';
import { pairsOf, type ViewState } from './state';
import { chainOf, DiffTable } from './table';
import { differencesInWords } from './token-diff';
import { stepToken } from './token-step';
import { makeLegend, makeToolbar } from './toolbar';

export class ChainDiffPage {
  private view: CaseView | null = null;
  /** Existing columns that are not hidden. */
  private chains: ChainView[] = [];
  private rows: DiffRow[] = [];
  private readonly finder = new Finder({
    chains: () => this.chains,
    rows: () => this.rows,
    draw: () => this.drawRows(true),
    goTo: ({ row, column }) => {
      this.unfold(row);
      this.drawRows(true);
      this.table.go({ row, column: this.inlineColumns() ? 0 : column }, false);
    },
    closed: () => {
      this.drawRows(true);
      this.table.go(this.table.focus);
    },
  });
  private mathAsked = false;

  private readonly top = element('div', { class: 'page-top' });
  private readonly head = element('div', { class: 'heads', role: 'row', 'aria-rowindex': 1 });
  private readonly bottom = element('div', { class: 'page-bottom' });
  private readonly spoken = element('div', { class: 'spoken', 'aria-live': 'polite' });
  private readonly help = makeHelp();
  readonly table = new DiffTable(this.head);
  readonly explanations: ExplanationBox;

  constructor(
    private readonly root: HTMLElement,
    private readonly link: ExtensionLink<FromChainPage>,
    private state: ViewState,
  ) {
    root.setAttribute('role', 'main');
    const { table, top, bottom, help, spoken } = this;
    root.replaceChildren(element('h1', { class: 'spoken' }, 'Chain diff'), top, table.root, bottom, help, spoken);
    this.explanations = new ExplanationBox(root);
    this.table.root.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey) this.openRecordAt(event.target);
    });
    replaceChildren(this.top, element('p', { class: 'dim waiting' }, 'Reading the run’s records…'));
  }

  show(view: CaseView): void {
    const again = this.view?.subject.problemId === view.subject.problemId && this.view.subject.run === view.subject.run;
    this.view = view;
    this.keep();
    this.draw(again, true);
    if (!again)
      this.announce(`${view.subject.problemId}, ${view.place.number} of ${view.place.count} ${view.place.of}`);
  }

  /** A message in place of a case. */
  showTrouble(message: string): void {
    this.view = null;
    this.chains = [];
    this.rows = [];
    this.table.show(
      {
        unit: 'tokens',
        chains: [],
        rows: [],
        inline: null,
        options: { overlay: 'diff', rendered: false, matches: [], current: null },
      },
      false,
    );
    replaceChildren(this.head);
    replaceChildren(this.bottom);
    const onclick = () => this.post({ type: 'choose' });
    const again = element('button', { class: 'plain', onclick }, 'Choose a run and a problem');
    replaceChildren(this.top, element('div', { class: 'trouble', role: 'alert' }, ...visibleNodes(message)), again);
  }

  /** Whether formulas are rendered. Overlays apply to tokens, which are shown as written. */
  private get rendered(): boolean {
    const { rendered, overlay } = this.state;
    if (overlay !== 'diff' || this.state.inline) return false;
    if (rendered !== 'auto') return rendered === 'on';
    return this.view?.unit === 'words' && this.chains.some(({ texts }) => hasFormulas(texts.join('')));
  }

  toggleRendered(): void {
    const rendered = this.rendered ? 'off' : 'on';
    const overlay = rendered === 'on' ? 'diff' : this.state.overlay;
    this.set({ rendered, overlay, inline: rendered === 'on' ? false : this.state.inline }, true);
    this.announce(rendered === 'on' ? 'formulas rendered' : 'text as written');
  }

  /** Draws everything; rows are aligned again if the chains have changed. */
  private draw(keepPlace: boolean, align: boolean): void {
    const { view, state } = this;
    if (!view) return;
    if (align) {
      const present = chainRoles.flatMap((role) => view[role] ?? []);
      const shown = present.filter(({ role }) => !state.hidden.includes(role));
      this.chains = shown.length > 0 && !state.inline ? shown : present;
      this.rows = this.chains.length > 0 ? alignChains(this.chains) : [];
      this.finder.again();
    }
    const inline = this.inlineColumns();
    const shown = inline ? inline.map((column) => this.chains[column]) : this.chains;
    const columns = inline ? 1 : Math.max(1, shown.length);
    this.root.className = `columns-${columns} overlay-${state.overlay}${inline ? ' inline' : ''}`;
    this.drawTop(view);
    redraw(
      this.head,
      ...makeHeads(shown, { view, overlay: state.overlay }, inline !== null, (message) => this.post(message)),
    );
    this.drawRows(keepPlace);
    redraw(
      this.bottom,
      view.group.length > 0 ? makeGroupStrip(view, (sample, third) => this.chooseSample(sample, third)) : null,
      makeSlider(view, (moment) => this.ask({ moment, sample: undefined })),
    );
  }

  private drawRows(keepPlace: boolean): void {
    const { overlay } = this.state;
    const { rendered } = this;
    if (rendered && !this.mathAsked) {
      this.mathAsked = true;
      void loadMath().then(() => this.drawRows(true));
    }
    const options = { overlay, rendered, matches: this.finder.matches, current: this.finder.current };
    this.table.show(
      {
        unit: this.view?.unit ?? 'tokens',
        chains: this.chains,
        rows: this.rows,
        inline: this.inlineColumns(),
        options,
      },
      keepPlace,
    );
  }

  private drawTop(view: CaseView): void {
    const toolbar = makeToolbar(
      view,
      { ...this.state, isRendered: this.rendered },
      {
        overlay: (overlay) => this.setOverlay(overlay),
        inline: (inline) => this.set({ inline }, true),
        rendered: () => this.toggleRendered(),
        pair: (pair) => this.set({ pair }, true),
        go: (by) => this.post({ type: 'go', by }),
        choose: () => this.post({ type: 'choose' }),
        help: () => this.help.showModal(),
      },
    );
    const question = element(
      'div',
      { class: 'question' },
      element('b', {}, 'Question '),
      element('span', { class: 'foreign', 'data-testid': 'question' }, ...visibleNodes(view.question)),
      view.answer === '' ? null : element('b', {}, ' Answer '),
      element('span', { class: 'foreign' }, ...visibleNodes(view.answer)),
    );
    const prompt = view.prompt
      ? element(
          'details',
          { class: 'prompt' },
          element('summary', {}, 'Prompt of this completion'),
          element('pre', {}, ...visibleNodes(view.prompt)),
        )
      : null;
    const own =
      view.note === null
        ? null
        : element('div', { class: 'note foreign', role: 'note' }, 'Note: ', ...visibleNodes(view.note));
    const notes = view.notes.map((note) => element('div', { class: 'note dim', role: 'note' }, ...visibleNodes(note)));
    redraw(
      this.top,
      toolbar,
      question,
      prompt,
      own,
      ...notes,
      makeLegend(this.state.overlay, this.chains, this.rendered),
      this.finder.box?.root,
    );
  }

  /** Columns of the pair in inline mode; the two existing ones if the pair is incomplete. */
  private inlineColumns(): [number, number] | null {
    if (!this.state.inline || this.chains.length < 2) return null;
    const [left, right] = this.state.pair.map((role) => this.chains.findIndex((chain) => chain.role === role));
    return left >= 0 && right >= 0 ? [left, right] : [0, 1];
  }

  private set(change: Partial<ViewState>, align: boolean): void {
    this.state = { ...this.state, ...change };
    this.keep();
    this.draw(true, align);
  }

  private keep(): void {
    if (this.view) this.link.keep({ subject: this.view.subject, view: this.state });
  }

  post(message: FromChainPage): void {
    this.link.post(message);
  }

  /** Requests another view of the same problem. */
  private ask(change: Partial<ChainSubject>): void {
    if (this.view) this.post({ type: 'show', subject: { ...this.view.subject, ...change } });
  }

  private announce(text: string): void {
    this.spoken.textContent = text;
  }

  // The actions of keys and buttons.

  setOverlay(overlay: Overlay): void {
    const focused = this.top.contains(document.activeElement);
    this.set({ overlay }, false);
    if (focused) this.top.querySelector<HTMLElement>('[aria-checked=true]')?.focus();
  }

  toggleInline(): void {
    this.set({ inline: !this.state.inline }, true);
  }

  /** Cycles through the pairs that inline mode can compare. */
  nextPair(): void {
    const pairs = pairsOf(this.view);
    const at = pairs.findIndex((pair) => pair.join() === this.state.pair.join());
    if (pairs.length > 0) this.set({ pair: pairs[(at + 1) % pairs.length] }, true);
  }

  toggleColumn(role: ChainView['role']): void {
    const { hidden } = this.state;
    this.set({ hidden: hidden.includes(role) ? hidden.filter((one) => one !== role) : [...hidden, role] }, true);
  }

  chooseSample(sample: number, third: boolean): void {
    const moment = this.view?.subject.moment;
    if (third && moment) this.ask({ third: { moment, sample } });
    else this.ask({ sample });
  }

  nextRewrite(by: number): void {
    if (this.view && this.view.rewrites.count > 0) this.post(rewriteFrom(this.view, by));
  }

  /** Accepts, rejects or edits the shown rewrite, if that is possible. */
  decide(what: 'accept' | 'reject' | 'edit'): void {
    const { can } = this.view?.rewrites ?? {};
    if (!can || (what !== 'edit' && !can[what])) this.announce(`there is no rewrite here to ${what}`);
    else this.post({ type: 'decide', what });
  }

  /** Marks the focused step as the student's first wrong one. */
  markStep(): void {
    const column = this.chains.findIndex(({ role }) => role === 'student');
    const segment = this.rows[this.table.focus.row]?.cells[column]?.segment;
    const step = segment === undefined ? undefined : this.chains[column].segments[segment].number;
    const recorded = this.view?.moments.find(({ key }) => key === this.view!.subject.moment)?.kind === 'failures';
    if (step === undefined || !recorded) this.announce('choose a step of the student’s recorded answer first');
    else this.post({ type: 'markStep', step: step - 1 });
  }

  openHelp(): void {
    this.help.showModal();
  }

  focusGroup(): void {
    this.bottom.querySelector<HTMLElement>('[role=option][tabindex="0"]')?.focus();
  }

  focusSlider(): void {
    this.bottom.querySelector('input')?.focus();
  }

  private focusedChain(): ChainView | undefined {
    const inline = this.inlineColumns();
    return this.chains[inline ? inline[1] : this.table.focus.column];
  }

  copy(): void {
    const chain = this.focusedChain();
    if (chain) this.post({ type: 'copy', role: chain.role });
  }

  openText(): void {
    const right = this.focusedChain()?.role;
    const left = this.chains.find(({ role }) => role !== right)?.role;
    if (right) this.post({ type: 'openText', right, ...(left && { left }) });
  }

  openRecord(): void {
    const chain = this.focusedChain();
    if (chain) this.post({ type: 'openRecord', origin: chain.origin });
  }

  private openRecordAt(target: EventTarget | null): void {
    const column = target instanceof Element ? chainOf(target) : null;
    const chain = column === null ? undefined : this.chains[column];
    if (chain)
      this.post({ type: 'openRecord', origin: { ...chain.origin, field: chain.logProbs ? 'logProbs' : 'text' } });
  }

  move(rows: number, columns: number): void {
    this.explanations.hide();
    if (rows !== 0) this.table.step(rows);
    else this.table.go({ ...this.table.focus, column: this.table.focus.column + columns });
  }

  foldFocused(): void {
    const row = this.rows[this.table.focus.row];
    if (!row) return;
    this.table.fold(row.group);
    this.table.go(this.table.focus);
    this.announce(this.table.isFolded(this.table.focus.row) ? 'folded' : 'unfolded');
  }

  /** Moves to the next cell (in reading order by row) that differs from what it is compared with. */
  nextDifference(by: 1 | -1): void {
    const { row, column } = this.table.focus;
    const inline = this.inlineColumns();
    const against = inline?.[0] ?? 0;
    const places = differingCells(this.chains, this.rows, inline);
    const after = (place: { row: number; column: number }) =>
      place.row > row || (place.row === row && place.column > column);
    const before = (place: { row: number; column: number }) =>
      place.row < row || (place.row === row && place.column < column);
    const next = by > 0 ? (places.find(after) ?? places[0]) : (places.findLast(before) ?? places.at(-1));
    if (!next) {
      this.announce('no differences');
      return;
    }
    this.table.go(next);
    this.announce(
      `${this.chains[next.of].role}: ${differencesInWords(this.chains, this.rows[next.row], next.of, against)}`,
    );
  }

  /** The first wrong step of the focused column's chain, else of any chain. */
  goToFault(): void {
    const order = [this.table.focus.column, ...this.chains.keys()];
    const column = order.find((c) => this.chains[c]?.fault);
    const fault = column === undefined ? undefined : this.chains[column].fault;
    if (!fault || column === undefined) {
      this.announce('no wrong step was found');
      return;
    }
    const row = this.rows.findIndex(({ cells }) => {
      const cell = cells[column];
      return cell?.segment === fault.segment && fault.from >= cell.from && fault.from < cell.to;
    });
    this.unfold(row);
    this.table.go({ row, column });
    this.announce(fault.sentence);
  }

  private unfold(row: number): void {
    if (row >= 0 && this.table.isFolded(row)) this.table.fold(this.rows[row].group, false);
  }

  /** Moves token by token within the focused cell; the numbers are shown and announced. */
  moveToken(by: 1 | -1): void {
    const next = stepToken(this.table.cellAt(this.table.focus), by);
    if (!next) return;
    this.explanations.show(next);
    this.announce(document.getElementById('explanation')?.innerText ?? '');
  }

  openSearch(): void {
    const box = this.finder.open();
    this.top.append(box.root);
    requestAnimationFrame(() => box.focus());
  }
}
