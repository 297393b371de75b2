/** Where a host's own files lie, below the `.distillery` folder that it works for. */
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
 * What host.json says; undefined when there is none. A file that does not read as one counts as none: its host never
 * got so far.
 */
export function readAddress(distillery: string): Address | undefined {
  try {
    return addressSchema.parse(JSON.parse(readSmallText(addressFile(distillery))));
  } catch {
    return undefined;
  }
}

/** Writes host.json for this user's eyes only: it holds the token. */
export function writeAddress(distillery: string, address: Address): void {
  const file = addressFile(distillery);
  makeFolder(distillery, hostFolder(distillery));
  replaceText(distillery, file, `${JSON.stringify(address, null, 2)}\n`, 0o600);
}

const pipe = '\\\\.\\pipe\\distillery-';
/** Of a user's sockets. */
const folderName = (uid: number) => `distillery-${uid}`;

/**
 * The longest path that every Unix takes as a socket's name (sun_path: 104 bytes on macOS, 108 on Linux, with a closing
 * 0).
 */
const longestPath = 103;

/**
 * A name for the socket (or pipe) of a folder's host. Not in the folder itself: the path may be too long, and the file
 * system may have no sockets. The socket's own folder is this user's alone.
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
 * Refuses an endpoint at which no host of this user listens: host.json may have come with its folder, and hellos carry
 * a token.
 */
export function checkEndpoint(endpoint: string): void {
  if (process.platform === 'win32' ? endpoint.startsWith(pipe) : mayHoldSockets(dirname(endpoint))) return;
  throw new UserError('host.json names a socket that is none of a training host of yours', {
    file: endpoint,
    code: 'host',
    remedy: 'Delete .distillery/host: it came from somebody else, or was changed.',
  });
}

/** A folder that `ensurePrivate` has made, or none any more: then nobody answers. */
function mayHoldSockets(folder: string): boolean {
  const { uid } = userInfo();
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  const mine = stat === undefined || (stat.isDirectory() && stat.uid === uid && !(stat.mode & 0o077));
  return mine && basename(folder) === folderName(uid);
}

/** Makes a folder that nobody else can look into; refuses one that somebody else could have prepared. */
function ensurePrivate(folder: string, uid: number): void {
  makeFolder(folder, folder, 0o700);
  const stat = fs.lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== uid)
    throw new UserError('this folder for sockets belongs to somebody else', {
      file: folder,
      code: 'host',
      remedy: 'Remove it, or set TMPDIR to a folder of your own.',
    });
  if (stat.mode & 0o077) fs.chmodSync(folder, 0o700);
}
