import * as vscode from './vscode';

/**
 * Where something to read opens: in front, but not over a page of VS Code's own (the walkthrough says what comes next)
 * while there is another group of editors beside it. Such pages have tabs without a known input.
 */
export function readingColumn(): vscode.ViewColumn {
  const { activeTabGroup, all } = vscode.window.tabGroups;
  const { activeTab } = activeTabGroup;
  const other = all.find((group) => group !== activeTabGroup);
  return activeTab && activeTab.input === undefined && other ? other.viewColumn : vscode.ViewColumn.Active;
}

/** The group of editors in which a text is open that `is` the one to show; undefined where none is. */
export function columnOf(is: (uri: vscode.Uri) => boolean): vscode.ViewColumn | undefined {
  return vscode.window.tabGroups.all.find(({ tabs }) =>
    tabs.some(({ input }) => input instanceof vscode.TabInputText && is(input.uri)),
  )?.viewColumn;
}
