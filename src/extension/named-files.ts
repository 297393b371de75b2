/**
 * Which of the files that an experiment or a run names are looked at. In Restricted Mode these are the files of the
 * workspace's folders alone: any other path may be a device, a secret, or a share that somebody else's server offers
 * (`\\server\share`), which the look alone would ask. Free of the editor's API: `limitReading` is told what is trusted.
 */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DataSource } from '../config/experiment';
import { loadData } from '../data/load';
import { UserError } from '../errors';
import { isWithin } from './run-paths';

interface WorkspaceAccess {
  trusted(): boolean;
  /** Folders of the workspace. */
  roots(): readonly string[];
}

let surroundings: WorkspaceAccess = { trusted: () => true, roots: () => [] };

export function limitReading(to: WorkspaceAccess): void {
  surroundings = to;
}

/** Whether an absolute path may be looked at, by its name first, then by where its links lead. */
export function mayRead(path: string): boolean {
  if (surroundings.trusted()) return true;
  const roots = surroundings.roots();
  const isInside = (place: string, folders: readonly string[]) => folders.some((folder) => isWithin(folder, place));
  return isInside(path, roots) && isInside(realPath(path), roots.map(realPath));
}

/** `loadData` of what the workspace's files name. Throws a UserError where Restricted Mode keeps it from being read. */
export function loadNamedData(source: DataSource, folder: string, split: 'train' | 'test' = 'train') {
  if ('path' in source) requireReadable(resolve(folder, source.path));
  return loadData(source, folder, split);
}

export function requireReadable(path: string): void {
  if (mayRead(path)) return;
  throw notTrusted(`${path} lies outside of the workspace, and is not read in Restricted Mode`);
}

/** What Restricted Mode refuses. The report of this error offers to manage trust. */
export const notTrusted = (message: string): UserError =>
  new UserError(message, {
    code: 'trust',
    remedy: 'Trust this workspace first: run "Workspaces: Manage Workspace Trust".',
  });

/** Without links, where the path or a part of it is there. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
