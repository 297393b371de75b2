import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isFolder } from '../../paths';
import * as vscode from '../vscode';
import { mayRead } from '../workspace/named-files';
import { configKind, pathFrom } from './kinds';
import { namedPaths } from './names';

/** Links to the files that a config names; for a student, its config.json. */
export const pathLinks: vscode.DocumentLinkProvider = {
  provideDocumentLinks(document) {
    const kind = configKind(document.fileName);
    if (!kind) return [];
    return namedPaths(kind, document.getText()).flatMap(({ value, start, end }) => {
      const path = pathFrom(dirname(document.fileName), value);
      if (!mayRead(path)) return [];
      const file = isFolder(path) ? join(path, 'config.json') : path;
      if (!existsSync(file)) return [];
      const range = new vscode.Range(document.positionAt(start), document.positionAt(end));
      return [new vscode.DocumentLink(range, vscode.Uri.file(file))];
    });
  },
};
