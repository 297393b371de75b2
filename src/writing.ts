/**
 * The only module that changes files and folders (`writers.test.ts` lists the few exceptions). Every function takes the
 * folder it works in, `root`, and a path below it. The root is the user's own choice and may be a symbolic link, such
 * as a `.distillery` on a bigger disk. Everything below it is untrusted data, so nothing below it is created, written,
 * truncated, moved or removed through a link. A root of `dirname(file)` means that the file's folder is the user's
 * choice. (write-file-atomic resolves links of the path and writes to their targets.)
 */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { guardDisk } from './disk';
import { UserError } from './errors';
import { isFolder, isWithin } from './paths';

/** Windows has no such flag; there the earlier check must suffice. */
const noFollow = fs.constants.O_NOFOLLOW ?? 0;

/** Refuses a path that is not below `root`, and one that passes through a link (`itself`: or is one). */
export function checkInside(root: string, path: string, itself = true): void {
  if (!isWithin(resolve(root), resolve(path)))
    throw new UserError(`the path lies outside of ${root}`, {
      file: path,
      code: 'outside',
      remedy: 'The file that names it was changed or damaged: restore it from a copy.',
    });
  const inside = relative(resolve(root), resolve(path));
  if (inside === '') return;
  const names = inside.split(sep);
  let at = resolve(root);
  for (const [i, name] of names.entries()) {
    at = join(at, name);
    const stat = i < names.length - 1 || itself ? statOrNone(at) : undefined;
    if (!stat) return;
    if (stat.isSymbolicLink()) throw linked(at, root);
    if (!stat.isFile() && !stat.isDirectory())
      throw new UserError('this is neither a file nor a folder', {
        file: at,
        code: 'disk',
        remedy: 'Move it away, then try again.',
      });
  }
}

function statOrNone(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // a parent that is not a folder: opening it reports the error
  }
}

const linked = (path: string, root: string, cause?: unknown) =>
  new UserError('this is a symbolic link, and nothing is written through links', {
    file: path,
    code: 'link',
    remedy: `Remove the link, or put the file or folder itself there. (${root} as a whole may lie behind a link.)`,
    cause,
  });

/** Creates a folder and its parents. */
export function makeFolder(root: string, folder: string, mode?: number): void {
  checkInside(root, folder);
  makeWithParents(resolve(folder), mode);
}

/** Node's own `recursive` never returns where an existing folder takes no new ones and says ENOENT, such as /proc. */
function makeWithParents(folder: string, mode?: number): void {
  try {
    fs.mkdirSync(folder, { mode });
  } catch (error) {
    if (isFolder(folder)) return;
    const parent = dirname(folder);
    const isRoot = parent === folder; // a drive of Windows that is not there
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isRoot || fs.existsSync(parent)) throw error;
    makeWithParents(parent, mode);
    makeWithParents(folder, mode);
  }
}

/** Creates a new folder; false if the name is taken. */
export function makeNewFolder(root: string, folder: string): boolean {
  checkInside(root, folder, false);
  return unlessThere(() => fs.mkdirSync(folder));
}

/**
 * Creates a new file; false if the name is taken. It appears complete: a draft beside it gets the content, and then the
 * name. Only where the file system has no hard links can a reader see a part of it, or a killed process leave one.
 */
export function createFile(root: string, file: string, content: string | Uint8Array): boolean {
  checkInside(root, file, false);
  const draft = join(dirname(file), `${basename(file).slice(0, 40)}.${randomUUID().slice(0, 8)}.draft`);
  try {
    fs.writeFileSync(draft, content, { flag: 'wx' });
    return unlessThere(() => fs.linkSync(draft, file));
  } catch (error) {
    if (!noLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return unlessThere(() => fs.copyFileSync(draft, file, fs.constants.COPYFILE_EXCL));
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/** Errors of `link` on file systems without hard links: FAT, some network shares, Android's storage. */
const noLinks = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV', 'EISDIR']);

function unlessThere(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Opens a file for writing, with `flags` of `fs.constants`. The caller closes it. */
export function openToWrite(root: string, file: string, flags: number, mode = 0o644): number {
  checkInside(root, file);
  try {
    return fs.openSync(file, flags | noFollow, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') throw linked(file, root, error);
    throw error;
  }
}

/** `openToWrite` for asynchronous writing: creates the file if necessary, and appends. */
export async function openToAppend(root: string, file: string): Promise<fs.promises.FileHandle> {
  checkInside(root, file);
  const { O_APPEND, O_CREAT, O_WRONLY } = fs.constants;
  return fs.promises.open(file, O_APPEND | O_CREAT | O_WRONLY | noFollow);
}

/** Writes at `end` of an open file, which then ends behind the bytes; where it was, if that fails. */
export function writeAtEnd(handle: number, bytes: Uint8Array, end: number, flush = false): void {
  try {
    for (let done = 0; done < bytes.length; )
      done += fs.writeSync(handle, bytes, done, bytes.length - done, end + done);
    fs.ftruncateSync(handle, end + bytes.length);
    if (flush) fs.fdatasyncSync(handle);
  } catch (error) {
    fs.ftruncateSync(handle, end);
    throw error;
  }
}

/** Truncates a file to its first `size` bytes. */
export function cutFile(root: string, file: string, size: number): void {
  const handle = openToWrite(root, file, fs.constants.O_RDWR);
  try {
    fs.ftruncateSync(handle, size);
  } finally {
    fs.closeSync(handle);
  }
}

/**
 * Replaces a file atomically: `write` fills a draft beside it, which is flushed and renamed, and the folder is flushed.
 * A crash, a full disk or a power cut leaves the old file or the new one. `wanted` may still refuse the draft.
 */
export function replaceFile(
  root: string,
  file: string,
  write: (handle: number) => void,
  { mode, wanted = () => true }: { mode?: number; wanted?: (draft: string) => boolean } = {},
): void {
  // One name for all drafts: the run's lock allows one writer, and the draft of a killed process is overwritten.
  const draft = `${file}.draft`;
  checkInside(root, file);
  guardDisk(file, fs.existsSync(file) ? 'its earlier content is kept' : 'nothing was written', () => {
    fs.rmSync(draft, { force: true });
    try {
      const handle = fs.openSync(draft, 'wx', mode);
      try {
        write(handle);
        fs.fsyncSync(handle);
      } finally {
        fs.closeSync(handle);
      }
      if (!wanted(draft)) return fs.rmSync(draft);
      fs.renameSync(draft, file);
    } catch (error) {
      fs.rmSync(draft, { force: true });
      throw error;
    }
    flushFolder(dirname(file));
  });
}

export function replaceText(root: string, file: string, text: string | Uint8Array, mode?: number): void {
  replaceFile(root, file, (handle) => fs.writeFileSync(handle, text), { mode });
}

/**
 * `replaceText` for a file that the user named: its folder is their choice, and so is a link there, which is followed.
 * Not for run folders, whose links may come from elsewhere.
 */
export function writeOutput(file: string, text: string | Uint8Array): void {
  const named = resolve(file);
  const place = isInRun(named) ? named : behindLinks(named);
  replaceText(dirname(place), place, text);
}

/** The target of a chain of links, even if it does not exist yet. */
function behindLinks(path: string): string {
  let place = path;
  for (let links = 0; statOrNone(place)?.isSymbolicLink(); links++) {
    if (links === mostLinks) throw linked(path, dirname(path));
    place = resolve(fs.realpathSync(dirname(place)), fs.readlinkSync(place));
  }
  return place;
}

/** Linux's own limit. */
const mostLinks = 40;

function isInRun(path: string): boolean {
  const folder = dirname(path);
  return fs.existsSync(join(folder, 'run.json')) || (folder !== path && isInRun(folder));
}

/** Renames a file or folder, optionally to another root; a link itself is renamed, not its target. */
export function move(root: string, from: string, to: string, toRoot = root): void {
  checkInside(root, from, false);
  checkInside(toRoot, to, false);
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    const draft = join(dirname(to), `.${basename(to)}.moving`);
    remove(toRoot, draft);
    try {
      fs.cpSync(from, draft, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      fs.renameSync(draft, to);
    } catch (failed) {
      remove(toRoot, draft);
      throw failed;
    }
    remove(root, from);
  }
}

/** Removes a file, or a folder with its content, if it exists; for links, the links themselves. */
export function remove(root: string, path: string): void {
  checkInside(root, path, false);
  fs.rmSync(path, { recursive: true, force: true });
}

/** Sets the times of a file of this process to now; for a link, the link's. */
export function touch(file: string, then: (error: Error | null) => void): void {
  const now = new Date();
  fs.lutimes(file, now, now, then);
}

/** Makes the content of a file durable. */
export function flushFile(root: string, file: string): void {
  const handle = openToWrite(root, file, fs.constants.O_RDWR);
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

/** Makes the names in a folder durable. Windows cannot open folders, and keeps names in its journal. */
export function flushFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(handle);
  } catch (error) {
    // Some network disks refuse to flush folders; what was done in them is done.
    if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    fs.closeSync(handle);
  }
}
