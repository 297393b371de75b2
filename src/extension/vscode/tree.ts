import * as editor from 'vscode';
import { withSafeErrors } from './faults';
import type { TreeItem } from './objects';
import type { Sealed } from './set-texts';

export interface TreeDataProvider<T> extends editor.TreeDataProvider<T> {
  getTreeItem(element: T): TreeItem;
  resolveTreeItem?(item: TreeItem, element: T): TreeItem;
}

export type TreeView<T> = Sealed<editor.TreeView<T>, 'title' | 'description' | 'message' | 'badge'>;

export const createTreeView = <T>(
  id: string,
  options: editor.TreeViewOptions<T> & { treeDataProvider: TreeDataProvider<T> },
): TreeView<T> =>
  editor.window.createTreeView(id, { ...options, treeDataProvider: withSafeErrors(options.treeDataProvider) });
