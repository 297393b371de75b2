import * as vscode from '../vscode';

/**
 * The editor column for a document: the active one, but beside the walkthrough and other pages of VS Code's own if
 * there is another group. Tabs of such pages have no known input.
 */
export function readingColumn(): vscode.ViewColumn {
  const { activeTabGroup, all } = vscode.window.tabGroups;
  const { activeTab } = activeTabGroup;
  const other = all.find((group) => group !== activeTabGroup);
  return activeTab && activeTab.input === undefined && other ? other.viewColumn : vscode.ViewColumn.Active;
}

/** The editor group with a text for which `is` holds; undefined if there is none. */
export function columnOf(is: (uri: vscode.Uri) => boolean): vscode.ViewColumn | undefined {
  return vscode.window.tabGroups.all.find(({ tabs }) =>
    tabs.some(({ input }) => input instanceof vscode.TabInputText && is(input.uri)),
  )?.viewColumn;
}
