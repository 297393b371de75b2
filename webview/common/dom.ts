/** Elements without HTML text: what a model wrote can enter as a text node only. */

type Child = Node | string | number | null | undefined | false;

interface Attributes {
  class?: string;
  /** Set as attributes; true stands for an empty one, false and undefined for none. */
  [name: string]: string | number | boolean | undefined;
}

/** `element('button', { class: 'quiet', 'aria-label': 'Copy' }, 'Copy')` */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  append(made, children);
  return made;
}

/** As `element`, for names that HTML does not know (`vscode-dropdown`). */
export function customElement(
  name: `vscode-${string}`,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElement {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  append(made, children);
  return made;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    // Handlers and styles as text are what the page's policy forbids.
    if (/^on|^style$/i.test(name)) throw new Error(`the attribute ${name} cannot be set`);
    if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? '' : String(value));
  }
}

export function append(target: Element, children: readonly Child[]): void {
  for (const child of children)
    if (child !== null && child !== undefined && child !== false)
      target.append(typeof child === 'number' ? String(child) : child);
}

export function replaceChildren(target: Element, ...children: Child[]): void {
  target.replaceChildren();
  append(target, children);
}
