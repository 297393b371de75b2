/** Workspace trust: in Restricted Mode a folder is only read. Nothing in it is run, and nothing is written for it. */

import * as vscode from '../vscode';
import { notTrusted } from './named-files';

/**
 * @throws UserError in Restricted Mode. When-clauses hide most commands that start or write something, but keys, lenses
 * and other extensions bypass them. The error's report offers to manage trust.
 */
export function requireTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw notTrusted('Distillery does not start or write anything in Restricted Mode');
}
