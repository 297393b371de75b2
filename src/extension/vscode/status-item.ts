import * as editor from 'vscode';
import { inertLine } from '../../foreign-text';
import type { Markdown } from './markdown';
import { markdown } from './objects';
import { setTexts } from './set-texts';

export interface StatusText {
  /** A codicon. */
  icon: string;
  text: string;
  tooltip: Markdown;
  /** For screen readers. */
  spoken: string;
  alarm?: 'warning' | 'error';
}

/** A status bar item, hidden while it has no content. */
export function createStatusItem(id: string, name: string, command: string) {
  const item = editor.window.createStatusBarItem(id, editor.StatusBarAlignment.Left, 10);
  item.name = name;
  item.command = command;
  return {
    show({ icon, text, tooltip, spoken, alarm }: StatusText): void {
      item.text = `$(${icon}) ${inertLine(text)}`;
      setTexts(item, { tooltip: markdown(tooltip), accessibilityInformation: { label: spoken, role: 'button' } });
      item.backgroundColor = alarm && new editor.ThemeColor(`statusBarItem.${alarm}Background`);
      item.show();
    },
    hide: () => item.hide(),
    dispose: () => item.dispose(),
  };
}
