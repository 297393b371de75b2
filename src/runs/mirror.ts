/**
 * A copy of a run folder elsewhere, updated during the run: on a disk, or by a program that reaches other machines.
 * run.json comes last, so that everything it names is there.
 */
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readSmallText } from '../lines';
import { statOf } from '../paths';
import { makeFolder, remove, replaceFile, replaceText } from '../writing';
import { lockFolder, runFile } from './layout';

/** Which files of a run are copied: not its lock, which belongs to this machine; run.json comes last. */
export const notCopied = [basename(lockFolder('')), basename(runFile(''))];

const chunk = 1 << 20;

/**
 * Makes `copy` equal to the run folder `run`: new and changed files are written, others are removed. Returns the number
 * of written files. An interruption never leaves an incomplete file under its final name.
 */
export function mirrorRun(run: string, copy: string): number {
  const root = dirname(copy);
  makeFolder(root, copy);
  const said = readSmallText(runFile(run)); // read before the files that it names
  const names = filesOf(run);
  const kept = new Set(names);
  for (const name of filesOf(copy)) if (!kept.has(name)) remove(root, join(copy, name));
  let written = 0;
  for (const name of names) {
    const [from, to] = [join(run, name), join(copy, name)];
    if (isCopied(from, to)) continue;
    makeFolder(root, dirname(to));
    if (copyFile(root, from, to)) written++;
  }
  if (fs.existsSync(runFile(copy)) && readSmallText(runFile(copy)) === said) return written;
  replaceText(root, runFile(copy), said);
  return written + 1;
}

/** By path in the run folder. */
function filesOf(run: string): string[] {
  const found: string[] = [];
  const walk = (folder: string) => {
    for (const entry of fs.readdirSync(join(run, folder), { withFileTypes: true })) {
      const name = join(folder, entry.name);
      if (notCopied.includes(name) || entry.name.endsWith('.draft')) continue;
      if (entry.isDirectory()) walk(name);
      else if (entry.isFile()) found.push(name);
    }
  };
  walk('');
  return found;
}

function isCopied(from: string, to: string): boolean {
  const [source, copy] = [from, to].map(statOf);
  return !source || (copy !== undefined && copy.size === source.size && copy.mtimeMs >= source.mtimeMs);
}

/** False if the run has deleted the file meanwhile, such as a checkpoint replaced by a better one. */
function copyFile(root: string, from: string, to: string): boolean {
  let source: number;
  try {
    source = fs.openSync(from, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  try {
    replaceFile(root, to, (handle) => {
      const bytes = Buffer.allocUnsafe(chunk);
      for (let read = fs.readSync(source, bytes); read > 0; read = fs.readSync(source, bytes))
        for (let done = 0; done < read; ) done += fs.writeSync(handle, bytes, done, read - done);
    });
  } finally {
    fs.closeSync(source);
  }
  return true;
}
