/** How text gets into objects of the editor that live on. */
import type * as editor from 'vscode';
import { inertLine, visible } from '../../foreign-text';

/** An object of the editor some of whose texts can be read, and set by `say` alone. */
export type Sealed<T, K extends keyof T> = Omit<T, K> & Readonly<Pick<T, K>>;

/**
 * A line of text; Markdown that was made by `markdown`; what screen readers say; the number on a view, with its
 * tooltip.
 */
type Said = string | editor.MarkdownString | editor.AccessibilityInformation | editor.ViewBadge | undefined;

/** Sets texts of an object, each without links, icons and controls. */
export function say<T extends object, K extends keyof T>(
  target: T,
  texts: { readonly [P in K]: Extract<T[P], Said> },
): void {
  for (const [key, said] of Object.entries(texts)) (target as Record<string, unknown>)[key] = cleaned(said as Said);
}

function cleaned(said: Said): Said {
  if (typeof said === 'string') return inertLine(said);
  if (said && 'label' in said) return { ...said, label: visible(said.label) };
  return said && 'tooltip' in said ? { ...said, tooltip: inertLine(said.tooltip) } : said;
}
