/** Workspace trust: in Restricted Mode a folder is only read. Nothing in it is run, and nothing is written for it. */

import { UserError } from '../errors';
import * as vscode from './vscode';

/**
 * @throws UserError in Restricted Mode. When-clauses hide most commands that start or write something, but keys, lenses
 * and other extensions bypass them. The error's report offers to manage trust.
 */
export function requireTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new UserError('Distillery does not start or write anything in Restricted Mode', {
    code: 'trust',
    remedy: 'Trust this workspace first: run "Workspaces: Manage Workspace Trust".',
  });
}
