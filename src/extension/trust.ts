/** Workspace trust: in Restricted Mode a folder is read; nothing of it is run, and nothing is written for it. */

import { UserError } from '../errors';
import * as vscode from './vscode';

/**
 * Throws in Restricted Mode. When-clauses hide most of what starts or writes something, but keys, lenses and other
 * extensions do not ask them. The report of this error offers to manage trust.
 */
export function requireTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new UserError('Distillery starts and writes nothing in Restricted Mode', {
    code: 'trust',
    remedy: 'Trust this workspace first: run "Workspaces: Manage Workspace Trust".',
  });
}
