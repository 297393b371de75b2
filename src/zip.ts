/** Finds and reads members of a zip file (APPNOTE.TXT 6.3) one by one from disk. */
import { type FileHandle, open } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { Decompress } from 'fzstd';
import { UserError } from './errors';
import { readAt } from './lines';

export interface ZipMember {
  name: string;
  /** 0 stored, 8 deflate, 93 Zstandard. */
  method: number;
  packed: number;
  size: number;
  offset: number;
}

export const damagedZip = (file: string, what: string) =>
  new UserError(`this zip file cannot be read: ${what}`, {
    file,
    remedy: 'Download or write it again: it may have been copied before it was complete.',
  });

/** The directory at the file's end. @throws UserError when it is damaged, or so large that it needs ZIP64 */
export async function zipMembers(handle: FileHandle, file: string): Promise<ZipMember[]> {
  const { size } = await handle.stat();
  const tail = await readAt(handle, Math.max(0, size - 65_557), Math.min(size, 65_557));
  const end = tail.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  if (end < 0 || end + 22 > tail.length) throw damagedZip(file, 'it has no directory');
  const [count, bytes, start] = [tail.readUInt16LE(end + 10), tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (start + bytes > size) throw damagedZip(file, 'its directory lies outside of it');
  const directory = await readAt(handle, start, bytes);
  const found: ZipMember[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > bytes || directory.readUInt32LE(at) !== 0x02014b50) throw damagedZip(file, 'its directory is broken');
    const [nameLength, extra, comment] = [28, 30, 32].map((place) => directory.readUInt16LE(at + place));
    const member = {
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
      method: directory.readUInt16LE(at + 10),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    };
    if ([member.packed, member.size, member.offset].includes(0xffffffff)) throw damagedZip(file, 'it needs ZIP64');
    found.push(member);
    at += 46 + nameLength + extra + comment;
  }
  return found;
}

/** Position of a member's compressed bytes. */
export async function zipStart(handle: FileHandle, { offset }: ZipMember): Promise<number> {
  const head = await readAt(handle, offset, 30);
  return offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
}

/** Reads members of a file that is opened once. */
export async function openZip(file: string) {
  const handle = await open(file);
  const members = await zipMembers(handle, file).catch(async (error) => {
    await handle.close();
    throw error;
  });
  return {
    names: members.map(({ name }) => name),
    /**
     * The bytes of a member; undefined if there is none. @throws UserError when it is damaged, or larger than its
     * directory entry or `most`
     */
    async read(name: string, most = 512 << 20): Promise<Buffer | undefined> {
      const member = members.findLast((one) => one.name === name);
      if (!member) return undefined;
      if (member.size > most) throw damagedZip(file, `${name} has more than ${most} bytes`);
      const packed = await readAt(handle, await zipStart(handle, member), member.packed);
      const bytes = unpack(file, member, packed);
      if (bytes.length !== member.size) throw damagedZip(file, `${name} is truncated`);
      return bytes;
    },
    close: () => handle.close(),
  };
}

function unpack(file: string, { name, method, size }: ZipMember, packed: Buffer): Buffer {
  try {
    if (method === 0) return packed;
    if (method === 8) return inflateRawSync(packed, { maxOutputLength: size + 1 });
    if (method === 93) return unzstd([packed], size);
  } catch (error) {
    throw damagedZip(file, `${name} (${(error as Error).message})`);
  }
  throw damagedZip(file, `${name} uses the unsupported compression method ${method}`);
}

/** Decompresses Zstandard. @throws Error when it is damaged, or has more than `most` bytes */
export function unzstd(packed: Iterable<Uint8Array>, most: number): Buffer {
  const parts: Uint8Array[] = [];
  let size = 0;
  const stream = new Decompress((part) => {
    size += part.length;
    if (size > most) throw new Error(`more than ${most} bytes`);
    parts.push(part.slice());
  });
  for (const piece of packed) stream.push(new Uint8Array(piece));
  stream.push(new Uint8Array(0), true);
  return Buffer.concat(parts);
}
