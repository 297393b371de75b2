/**
 * Creates elements without parsing HTML: text of a model can only become a text node. The pages mostly consist of a
 * canvas and virtual tables, which update elements in place, so lit would save little.
 */

type Child = Node | string | number | null | undefined | false;

interface Attributes {
  class?: string;
  onclick?: (event: MouseEvent) => void;
  /** Set as attributes; true means an empty one, false and undefined none. Functions listen to the event. */
  [name: string]: string | number | boolean | undefined | ((event: never) => void);
}

type ElementNamed<Name> = Name extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Name] : HTMLElement;

/** `element('button', { class: 'quiet', 'aria-label': 'Copy', onclick: copy }, 'Copy')` */
export function element<Name extends keyof HTMLElementTagNameMap | `vscode-${string}`>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): ElementNamed<Name> {
  const made = document.createElement(name) as ElementNamed<Name>;
  setAttributes(made, attributes);
  append(made, children);
  return made;
}

/** A table with a caption for screen readers: the cells of its head, and its bodies. */
export const table = (attributes: Attributes, caption: string, head: readonly Child[], ...bodies: Child[]) =>
  element(
    'table',
    attributes,
    element('caption', { class: 'spoken' }, caption),
    element('thead', {}, element('tr', {}, ...head)),
    ...bodies,
  );

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      target.addEventListener(name.replace(/^on/, ''), value as EventListener);
      continue;
    }
    if (value === undefined || value === false) target.removeAttribute(name);
    // The page's policy forbids handlers and styles as text.
    else if (/^on|^style$/i.test(name)) throw new Error(`the attribute ${name} cannot be set`);
    else target.setAttribute(name, value === true ? '' : String(value));
  }
}

export function append(target: Element, children: readonly Child[]): void {
  for (const child of children)
    if (child !== null && child !== undefined && child !== false)
      target.append(typeof child === 'number' ? String(child) : child);
}

/**
 * Replaces a part of the page; the focus moves to the element with the same name (or the chosen option) in the new one.
 */
export function redraw(target: Element, ...children: Child[]): void {
  const active = document.activeElement;
  const held = active && active !== target && target.contains(active) ? active : null;
  const [role, name] = [held?.getAttribute('role'), held && nameOf(held)];
  replaceChildren(target, ...children);
  if (!held || target.contains(held)) return;
  const chosen = role === 'option' ? target.querySelector<HTMLElement>('[role=option][aria-selected=true]') : null;
  const named = [...target.querySelectorAll<HTMLElement>('button, input, summary, [tabindex]')];
  (chosen ?? named.find((one) => nameOf(one) === name))?.focus({ preventScroll: true });
}

const nameOf = (target: Element) => target.getAttribute('aria-label') ?? target.textContent;

export function replaceChildren(target: Element, ...children: Child[]): void {
  target.replaceChildren();
  append(target, children);
}
