/**
 * Tooltips shown on hover or focus: rich, unlike `title`, reachable by keyboard, closed by Escape. One box below or
 * above its element needs no @floating-ui/dom.
 */
import { element } from './dom';

type Explanation = () => Node[];

const explanations = new WeakMap<Element, Explanation>();
const explainers = new WeakMap<Element, { selector: string; explanation: (part: Element) => Node[] }>();
const delay = 250;

/** Gives an element a tooltip, created on demand. */
export function explain(target: Element, explanation: Explanation): void {
  explanations.set(target, explanation);
  target.setAttribute('data-explained', '');
}

/** Gives a tooltip to all parts of a container that match the selector: one entry for thousands of parts. */
export function explainParts(container: Element, selector: string, explanation: (part: Element) => Node[]): void {
  explainers.set(container, { selector, explanation });
  container.setAttribute('data-explains', '');
}

/** The tooltip element. One per page. */
export class ExplanationBox {
  private readonly box = element('div', { class: 'explanation', id: 'explanation', role: 'tooltip', hidden: true });
  private timer: ReturnType<typeof setTimeout> | undefined;
  private shownFor: Element | null = null;

  constructor(root: HTMLElement) {
    root.append(this.box);
    root.addEventListener('pointerover', ({ target }) => this.plan(explained(target)));
    root.addEventListener('pointerleave', () => this.plan(null));
    root.addEventListener('focusin', ({ target }) => {
      const found = explained(target);
      if (found && found === target && found.matches(':focus-visible')) this.show(found);
      else this.hide();
    });
    document.addEventListener('scroll', () => this.hide(), { capture: true, passive: true });
    document.addEventListener('keydown', ({ key }) => key === 'Escape' && this.hide());
  }

  /** Shows it at once, as when the keyboard moves to a token. */
  show(target: Element): void {
    const nodes = explanationOf(target);
    this.hide();
    if (nodes.length === 0) return;
    this.shownFor = target;
    target.setAttribute('aria-describedby', this.box.id);
    this.box.replaceChildren(...nodes);
    this.box.hidden = false;
    this.place(target);
  }

  hide(): void {
    clearTimeout(this.timer);
    this.shownFor?.removeAttribute('aria-describedby');
    this.shownFor = null;
    this.box.hidden = true;
  }

  private plan(target: Element | null): void {
    clearTimeout(this.timer);
    if (target === this.shownFor) return;
    this.timer = setTimeout(() => (target ? this.show(target) : this.hide()), delay);
  }

  /** Below the target, or above it if there is no room, within the window. */
  private place(target: Element): void {
    const [first] = target.getClientRects();
    const at = first ?? target.getBoundingClientRect();
    const { width, height } = this.box.getBoundingClientRect();
    const below = at.bottom + 4 + height <= window.innerHeight;
    const top = below ? at.bottom + 4 : Math.max(2, at.top - 4 - height);
    this.box.style.left = `${Math.max(2, Math.min(at.left, window.innerWidth - width - 4))}px`;
    this.box.style.top = `${top}px`;
  }
}

/** The element with the tooltip: the target itself, the matching part of a container around it, or an ancestor. */
function explained(target: EventTarget | null): Element | null {
  if (!(target instanceof Element)) return null;
  const own = target.closest('[data-explained], [data-explains]');
  const explainer = own && explainers.get(own);
  return explainer ? (target.closest(explainer.selector) ?? null) : own;
}

function explanationOf(target: Element): Node[] {
  const own = explanations.get(target);
  if (own) return own();
  const container = target.closest('[data-explains]');
  return (container && explainers.get(container)?.explanation(target)) ?? [];
}

/** Lines of a name and a value, followed by the meaning. */
export function factTable(facts: readonly { name: string; value: string; about?: string }[]): Node {
  return element(
    'dl',
    { class: 'facts' },
    ...facts.flatMap(({ name, value, about }) => [
      element('dt', {}, name),
      element('dd', {}, element('b', {}, value), about ? element('span', { class: 'dim' }, ` ${about}`) : null),
    ]),
  );
}
