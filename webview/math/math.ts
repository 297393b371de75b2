/** KaTeX, in a file of its own that a page fetches when a chain has formulas. */
import katex from 'katex';
import 'katex/dist/katex.min.css';

/** What a model wrote may name no links, pictures or classes, expand without end, or grow beyond its line. */
const options = { trust: false, strict: 'ignore', maxExpand: 200, maxSize: 20, throwOnError: true } as const;

/** Renders a formula into an element. Errors: what is no formula. */
export function render(formula: string, into: HTMLElement, displayMode: boolean): void {
  katex.render(formula, into, { ...options, displayMode });
}

Object.assign(globalThis, { distilleryMath: { render } });
