/** Paths of a host's own files, below its `.distillery` folder. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors';
import { readSmallText } from '../lines';
import { makeFolder, replaceText } from '../writing';
import { type Address, addressSchema } from './address';

export const hostFolder = (distillery: string) => join(distillery, 'host');
export const addressFile = (distillery: string) => join(hostFolder(distillery), 'host.json');
export const logFile = (distillery: string) => join(hostFolder(distillery), 'host.log');

/**
 * The content of host.json; undefined if there is none. An unreadable file counts as none: its host never finished
 * starting.
 */
export function readAddress(distillery: string): Address | undefined {
  try {
    return addressSchema.parse(JSON.parse(readSmallText(addressFile(distillery))));
  } catch {
    return undefined;
  }
}

/** Writes host.json readable by this user only, as it contains the token. */
export function writeAddress(distillery: string, address: Address): void {
  const file = addressFile(distillery);
  makeFolder(distillery, hostFolder(distillery));
  replaceText(distillery, file, `${JSON.stringify(address, null, 2)}\n`, 0o600);
}

const pipe = '\\\\.\\pipe\\distillery-';
/** Folder of a user's sockets. */
const folderName = (uid: number) => `distillery-${uid}`;

/** Maximum length of a socket path on every Unix (sun_path: 104 bytes on macOS, 108 on Linux, including a final 0). */
const longestPath = 103;

/**
 * The path of the socket (or name of the pipe) of a folder's host. It is not in the folder itself, whose path may be
 * too long and whose file system may not support sockets. The sockets' folder is private to this user.
 */
export function makeEndpoint(distillery: string): string {
  const { uid, username } = userInfo();
  const name = createHash('sha256')
    .update(`${username}\0${fs.realpathSync(distillery)}`)
    .digest('hex')
    .slice(0, 20);
  if (process.platform === 'win32') return `${pipe}${name}`;
  const place = (root: string) => join(root, folderName(uid), `${name}.sock`);
  const endpoint = Buffer.byteLength(place(tmpdir())) <= longestPath ? place(tmpdir()) : place('/tmp');
  ensurePrivate(join(endpoint, '..'), uid);
  return endpoint;
}

/**
 * Refuses an endpoint that cannot belong to this user's hosts: host.json may have come with its folder, and a hello
 * contains a token.
 */
export function checkEndpoint(endpoint: string): void {
  if (process.platform === 'win32' ? endpoint.startsWith(pipe) : mayHoldSockets(dirname(endpoint))) return;
  throw new UserError('host.json names a socket that does not belong to a training host of yours', {
    file: endpoint,
    code: 'host',
    remedy: 'Delete .distillery/host: another user made it, or it was changed.',
  });
}

/** A folder made by `ensurePrivate`, or a missing one: then there is no answer. */
function mayHoldSockets(folder: string): boolean {
  const { uid } = userInfo();
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  const mine = stat === undefined || (stat.isDirectory() && stat.uid === uid && !(stat.mode & 0o077));
  return mine && basename(folder) === folderName(uid);
}

/** Creates a folder private to this user; refuses one that another user may have prepared. */
function ensurePrivate(folder: string, uid: number): void {
  makeFolder(folder, folder, 0o700);
  const stat = fs.lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== uid)
    throw new UserError('this folder for sockets belongs to another user', {
      file: folder,
      code: 'host',
      remedy: 'Remove it, or set TMPDIR to a folder of your own.',
    });
  if (stat.mode & 0o077) fs.chmodSync(folder, 0o700);
}
