/** Puts text into long-lived objects of the editor. */
import type * as editor from 'vscode';
import { inertLine, visible } from '../../foreign-text';

/** An editor object whose texts can be read, and set through `setTexts` only. */
export type Sealed<T, K extends keyof T> = Omit<T, K> & Readonly<Pick<T, K>>;

/**
 * A line of text, Markdown made by `markdown`, the label for screen readers, or the badge of a view with its tooltip.
 */
type EditorText = string | editor.MarkdownString | editor.AccessibilityInformation | editor.ViewBadge | undefined;

/** Sets texts of an object, with links, icons and control characters removed. */
export function setTexts<T extends object, K extends keyof T>(
  target: T,
  texts: { readonly [P in K]: Extract<T[P], EditorText> },
): void {
  for (const [key, said] of Object.entries(texts))
    (target as Record<string, unknown>)[key] = cleaned(said as EditorText);
}

function cleaned(said: EditorText): EditorText {
  if (typeof said === 'string') return inertLine(said);
  if (said && 'label' in said) return { ...said, label: visible(said.label) };
  return said && 'tooltip' in said ? { ...said, tooltip: inertLine(said.tooltip) } : said;
}
