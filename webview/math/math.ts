/** KaTeX, in a file of its own that a page loads when a chain has formulas. */
import katex from 'katex';
import 'katex/dist/katex.min.css';

/** Formulas of a model may not contain links, pictures or classes, expand endlessly, or leave their line. */
const options = { trust: false, strict: 'ignore', maxExpand: 200, maxSize: 20, throwOnError: true } as const;

/** Renders a formula into an element. Throws for an invalid formula. */
export function render(formula: string, into: HTMLElement, displayMode: boolean): void {
  katex.render(formula, into, { ...options, displayMode });
}

Object.assign(globalThis, { distilleryMath: { render } });
