/**
 * Changing files and folders: the one module that does (`writing.test.ts` lists the few exceptions). Every function
 * takes the folder it works in, `root`, and a path below it. The root is the person's own choice and may be a symbolic
 * link, such as a `.distillery` on a bigger disk. What lies below it is data that may have come from anybody, so
 * nothing below it is made, written, cut, moved or removed through a link. A root of `dirname(file)` says that the
 * file's folder is the person's choice.
 */
import fs from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { guardDisk } from './disk';
import { UserError } from './errors';

/** Windows has no such flag; there the look before has to do. */
const noFollow = fs.constants.O_NOFOLLOW ?? 0;

/** Refuses a path that is not below `root`, and one that reaches its place through a link (`itself`: or is one). */
export function checkInside(root: string, path: string, itself = true): void {
  const inside = relative(resolve(root), resolve(path));
  if (isAbsolute(inside) || inside.split(sep)[0] === '..')
    throw new UserError(`the path lies outside of ${root}`, {
      file: path,
      code: 'outside',
      remedy: 'The file that names it was changed or damaged: restore it from a copy.',
    });
  if (inside === '') return;
  const names = inside.split(sep);
  let at = resolve(root);
  for (const [i, name] of names.entries()) {
    at = join(at, name);
    const stat = i < names.length - 1 || itself ? lookAt(at) : undefined;
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

function lookAt(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // a parent that is no folder: whoever opens it says so
  }
}

const linked = (path: string, root: string, cause?: unknown) =>
  new UserError('this is a symbolic link, and nothing is written through links', {
    file: path,
    code: 'link',
    remedy: `Remove the link, or put the file or folder itself there. (${root} as a whole may lie behind a link.)`,
    cause,
  });

/** Makes a folder and those above it. */
export function makeFolder(root: string, folder: string, mode?: number): void {
  checkInside(root, folder);
  try {
    fs.mkdirSync(folder, { recursive: true, mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throwReadOnly(folder);
    throw error;
  }
}

/**
 * On a read-only disk Node says of `mkdir -p` that something does not exist (ENOENT). Throws what is really wrong, if
 * that is it.
 */
function throwReadOnly(folder: string): void {
  let there = dirname(folder);
  while (!fs.existsSync(there) && dirname(there) !== there) there = dirname(there);
  fs.accessSync(there, fs.constants.W_OK);
}

/** Makes a folder that is not there yet; false if something has its name. */
export function makeNewFolder(root: string, folder: string): boolean {
  checkInside(root, folder, false);
  return unlessThere(() => fs.mkdirSync(folder));
}

/** Makes a file that is not there yet; false if something has its name. */
export function createFile(root: string, file: string, content: string | Uint8Array, mode?: number): boolean {
  checkInside(root, file, false);
  let made = false;
  try {
    return unlessThere(() => {
      const handle = fs.openSync(file, 'wx', mode);
      made = true;
      try {
        fs.writeFileSync(handle, content);
      } finally {
        fs.closeSync(handle);
      }
    });
  } catch (error) {
    if (made) fs.rmSync(file, { force: true });
    throw error;
  }
}

function unlessThere(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Opens a file to be written, with `flags` of `fs.constants`. The caller closes it. */
export function openToWrite(root: string, file: string, flags: number, mode = 0o644): number {
  checkInside(root, file);
  try {
    return fs.openSync(file, flags | noFollow, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') throw linked(file, root, error);
    throw error;
  }
}

/** `openToWrite` for writing that waits for other things: the file is made where it is not there, and appended to. */
export async function openToAppend(root: string, file: string): Promise<fs.promises.FileHandle> {
  checkInside(root, file);
  const { O_APPEND, O_CREAT, O_WRONLY } = fs.constants;
  return fs.promises.open(file, O_APPEND | O_CREAT | O_WRONLY | noFollow);
}

/** Cuts a file to its first `size` bytes. */
export function cutFile(root: string, file: string, size: number): void {
  const handle = openToWrite(root, file, fs.constants.O_RDWR);
  try {
    fs.ftruncateSync(handle, size);
  } finally {
    fs.closeSync(handle);
  }
}

/**
 * Replaces a file as a whole: `write` fills a draft beside it, which is flushed and renamed over it, and the folder is
 * flushed. A crash, a full disk or a power cut leaves the old file or the new one. `wanted` may still refuse the draft.
 */
export function replaceFile(
  root: string,
  file: string,
  write: (handle: number) => void,
  { mode, wanted = () => true }: { mode?: number; wanted?: (draft: string) => boolean } = {},
): void {
  // One name for all: the run's lock lets one process write, and a killed one's draft is overwritten.
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
 * `replaceText` for a file that the person named: the folder that it lies in is their choice, and so is a link there,
 * which is written through. Not in a run folder: that may have come from anybody, links in it, too.
 */
export function writeOutput(file: string, text: string | Uint8Array): void {
  const named = resolve(file);
  const place = isInRun(named) ? named : behindLinks(named);
  replaceText(dirname(place), place, text);
}

/** Where a chain of links leads, also when nothing is there yet. */
function behindLinks(path: string): string {
  let place = path;
  for (let links = 0; lookAt(place)?.isSymbolicLink(); links++) {
    if (links === mostLinks) throw linked(path, dirname(path));
    place = resolve(fs.realpathSync(dirname(place)), fs.readlinkSync(place));
  }
  return place;
}

/** As many as Linux follows. */
const mostLinks = 40;

function isInRun(path: string): boolean {
  const folder = dirname(path);
  return fs.existsSync(join(folder, 'run.json')) || (folder !== path && isInRun(folder));
}

/**
 * Renames a file or folder, to below another root where one is named; a link itself is renamed, not what it leads to.
 * To another file system it is copied under a name with a dot, and appears and goes as a whole there, too.
 */
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

/** Removes a file, or a folder with all that is in it, if it is there; of links, the links. */
export function remove(root: string, path: string): void {
  checkInside(root, path, false);
  fs.rmSync(path, { recursive: true, force: true });
}

/** Sets the times of a file of this process's own; of a link, the link's. */
export function touch(file: string, then: (error: Error | null) => void): void {
  const now = new Date();
  fs.lutimes(file, now, now, then);
}

/** Makes a file's content durable. */
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
