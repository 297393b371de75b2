/**
 * Which of the files named by an experiment or a run may be accessed. In Restricted Mode only files in the workspace's
 * folders may be: any other path may be a device, a secret, or a share on a foreign server (`\\server\share`), which
 * any access would contact. It does not use the editor's API: `limitReading` receives what is trusted.
 */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { DataSource } from '../../config/experiment';
import { loadData } from '../../data/load';
import { UserError } from '../../errors';
import { guardOpening } from '../../lines';
import { isWithin } from '../../paths';

interface WorkspaceAccess {
  trusted(): boolean;
  /** Folders of the workspace. */
  roots(): readonly string[];
}

let surroundings: WorkspaceAccess = { trusted: () => true, roots: () => [] };

export function limitReading(to: WorkspaceAccess): void {
  surroundings = to;
  guardOpening((file) => {
    if (leadsOut(file))
      throw notTrusted(`${file} is a link out of the workspace, and is not followed in Restricted Mode`);
  });
}

export const trusted = (): boolean => surroundings.trusted();

/** Whether an absolute path may be accessed: by its name first, then by the targets of its links. */
export function mayRead(path: string): boolean {
  if (surroundings.trusted()) return true;
  return isInside(path) && !leadsOut(path);
}

/** Whether a path in the workspace is, or passes through, a link out of the workspace. */
export function leadsOut(path: string): boolean {
  if (surroundings.trusted() || !isInside(resolve(path))) return false;
  return !isInside(realPath(resolve(path)), surroundings.roots().map(realPath));
}

const isInside = (path: string, folders = surroundings.roots()) => folders.some((folder) => isWithin(folder, path));

/** `loadData` of what the workspace's files name. Throws a UserError where Restricted Mode keeps it from being read. */
export function loadNamedData(source: DataSource, folder: string, split: 'train' | 'test' = 'train') {
  if ('path' in source) requireReadable(resolve(folder, source.path));
  return loadData(source, folder, split);
}

export function requireReadable(path: string): void {
  if (mayRead(path)) return;
  throw notTrusted(`${path} lies outside of the workspace, and is not read in Restricted Mode`);
}

/** Refuses a student without a tokenizer of its own: the base of an adapter may lie anywhere. */
export function requireOwnTokenizer(student: string): void {
  requireReadable(student);
  if (surroundings.trusted() || existsSync(join(student, 'tokenizer.json'))) return;
  throw notTrusted(`${student} has no tokenizer, and that of its base is not read in Restricted Mode`);
}

/** The error for what Restricted Mode refuses. Its report offers to manage trust. */
export const notTrusted = (message: string): UserError =>
  new UserError(message, {
    code: 'trust',
    remedy: 'Trust this workspace first: run "Workspaces: Manage Workspace Trust".',
  });

/** Without links, as far as the path exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}
