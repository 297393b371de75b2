/**
 * Checkpoints are folders that appear atomically: written under a temporary name, flushed, renamed, and then published
 * in run.json.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors';
import { hashFile, parseJson, readSmallText } from '../lines';
import { stageNames } from '../stages';
import { createFile, flushFile, flushFolder, makeFolder, makeNewFolder, move, remove } from '../writing';
import { check } from './jsonl';
import { checkpointsFolder, runOfCheckpoint } from './layout';
import { type CheckpointState, checkpointStateSchema, formatVersion, type RunRecord } from './records';

export const stateFile = 'state.json';

/** Temporary folder in which a checkpoint is written, or to which it is moved for deletion. */
function unfinished(name: string): string {
  return `.unfinished-${name}`;
}

const unfinishedName = new RegExp(`^\\.unfinished-(${stageNames.join('|')})-\\d+$`);

/**
 * Removes what a killed process left: half-written or half-deleted, or whole but not yet, or no longer, published. The
 * latter are recognized by run.json's `pending` alone: any other folder was put there by a person, or run.json is an
 * older copy.
 */
export function removeUnfinished(run: string, { checkpoints, pending = [] }: RunRecord): void {
  const folder = checkpointsFolder(run);
  if (!fs.existsSync(folder)) return;
  for (const name of fs.readdirSync(folder)) if (unfinishedName.test(name)) remove(run, join(folder, name));
  const published = new Set(checkpoints.map(({ name }) => name));
  for (const name of pending) if (!published.has(name)) deleteCheckpointFolder(run, name);
}

/** Makes way for a checkpoint: a folder of its name that is none of the run's becomes `<name>.other`, or `.other-2`. */
export function renameForeignFolder(run: string, name: string): void {
  const folder = join(checkpointsFolder(run), name);
  if (fs.lstatSync(folder, { throwIfNoEntry: false })) setAside(run, folder);
}

/** Renames a file or folder of a run, and returns its new path. */
export function setAside(run: string, path: string): string {
  let to = `${path}.other`;
  for (let n = 2; fs.lstatSync(to, { throwIfNoEntry: false }); n++) to = `${path}.other-${n}`;
  move(run, path, to);
  return to;
}

/**
 * Writes a checkpoint's folder: `write` creates its files (no subfolders), then state.json with their checksums is
 * added.
 */
export async function writeCheckpointFolder(
  run: string,
  name: string,
  record: Omit<CheckpointState, 'format' | 'files'>,
  write: (folder: string) => void | Promise<void>,
): Promise<void> {
  const checkpoints = checkpointsFolder(run);
  makeFolder(run, checkpoints);
  const draft = join(checkpoints, unfinished(name));
  remove(run, draft);
  deleteCheckpointFolder(run, name); // whole, but publishing it failed
  makeNewFolder(run, draft);
  try {
    await write(draft);
    const files = Object.fromEntries(
      fs
        .readdirSync(draft)
        .sort()
        .map((file) => [file, hashFile(join(draft, file))]),
    );
    const state = { format: formatVersion, ...record, files };
    const sealed: CheckpointState = { ...state, sha256: checksum(state) };
    createFile(run, join(draft, stateFile), `${JSON.stringify(sealed, null, 2)}\n`);
    for (const file of fs.readdirSync(draft)) flushFile(run, join(draft, file));
    flushFolder(draft);
    move(run, draft, join(checkpoints, name));
    flushFolder(checkpoints);
  } catch (error) {
    remove(run, draft);
    throw error;
  }
}

/** Checksum of state.json without the checksum itself; reading it back gives the same. */
const checksum = (state: object) => createHash('sha256').update(JSON.stringify(state, refuseNonFinite)).digest('hex');

/** JSON would turn NaN and infinities into null, and a resumed run would continue with another state. */
function refuseNonFinite(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Error(`state.json cannot hold ${value} (in ${key})`);
  return value;
}

/** Deletes an unpublished folder; after a crash the rest is recognized by its name. */
export function deleteCheckpointFolder(run: string, name: string): void {
  const checkpoints = checkpointsFolder(run);
  const folder = join(checkpoints, name);
  if (!fs.lstatSync(folder, { throwIfNoEntry: false })) return;
  const doomed = join(checkpoints, unfinished(name));
  remove(run, doomed);
  move(run, folder, doomed);
  remove(run, doomed);
}

const isFileName = (name: string) => /^[^/\\]+$/.test(name) && name !== '.' && name !== '..';

/**
 * Verifies the weights of a checkpoint before they are used elsewhere; other folders have no checksums. Outside of a
 * run, a state.json in any other form belongs to another program.
 */
export function verifyWeights(folder: string): void {
  if (!fs.existsSync(join(folder, stateFile))) return;
  let state: CheckpointState;
  try {
    state = readState(folder);
  } catch (error) {
    if (error instanceof UserError && !runOfCheckpoint(folder)) return;
    throw error;
  }
  const weights = Object.entries(state.files).filter(([name]) => isWeights.test(name));
  verifyFiles(folder, weights);
}

const isWeights = /^(?:adapter_)?model\.safetensors$/;
/** Longest state.json, in bytes. */
const mostState = 256 << 20;

const damagedCheckpoint = (folder: string, message: string) =>
  new UserError(message, { file: folder, code: 'checkpoint', remedy: 'Use an earlier checkpoint of the run.' });

function verifyFiles(folder: string, files: [name: string, hash: string][]): void {
  for (const [name, hash] of files) {
    const path = join(folder, name);
    if (!isFileName(name) || !fs.existsSync(path)) throw damagedCheckpoint(folder, `the file ${name} is missing`);
    if (hashFile(path) !== hash) throw damagedCheckpoint(folder, `the file ${name} is damaged: its checksum differs`);
  }
}

/** The state of a checkpoint, verified by its own checksum. */
function readState(folder: string): CheckpointState {
  const file = join(folder, stateFile);
  const value = parseJson(readSmallText(file, mostState), { file, code: 'checkpoint' });
  const state = check(checkpointStateSchema, value, { file });
  const { sha256, ...rest } = value as CheckpointState;
  if (sha256 !== undefined && sha256 !== checksum(rest))
    throw damagedCheckpoint(folder, 'the file state.json is damaged: its checksum differs');
  return state;
}

/** Reads a checkpoint's state and verifies the checksum of every file. */
export function verifyCheckpoint(folder: string): CheckpointState {
  if (!fs.existsSync(join(folder, stateFile)))
    throw damagedCheckpoint(folder, 'this is not a checkpoint: it has no state.json');
  const state = readState(folder);
  if (state.format > formatVersion)
    throw new UserError(
      `the checkpoint was written by a newer version (format ${state.format}, this one reads ${formatVersion})`,
      {
        file: folder,
        code: 'version',
        remedy: 'Update Distillery.',
      },
    );
  verifyFiles(folder, Object.entries(state.files));
  return state;
}
