/** Chosen members of a zip file (APPNOTE.TXT 6.3), one after the other from disk. */
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { UserError } from '../errors';
import type { Watch } from './report';

interface Member {
  name: string;
  method: number;
  packed: number;
  size: number;
  offset: number;
}

/** Writes the members that `chosen` renames to a path (relative to `folder`) and gives none. Returns how many there were. */
export async function unzip(
  file: string,
  folder: string,
  chosen: (name: string) => string | null,
  watch: Watch,
): Promise<number> {
  const handle = await open(file);
  try {
    const wanted = (await members(handle, file)).flatMap((member) => {
      const path = chosen(member.name);
      return path === null ? [] : [{ member, path: join(folder, path) }];
    });
    const total = wanted.reduce((sum, { member }) => sum + member.size, 0);
    let done = 0;
    for (const { member, path } of wanted) {
      watch.signal?.throwIfAborted();
      mkdirSync(dirname(path), { recursive: true });
      await extract(handle, file, member, path, watch.signal);
      done += member.size;
      watch.progress({ doing: 'Unpacking', done, total });
    }
    return wanted.length;
  } finally {
    await handle.close();
  }
}

const damaged = (file: string, what: string) => new UserError(`it is no zip file that can be read: ${what}`, { file });

async function members(handle: FileHandle, file: string): Promise<Member[]> {
  const { size } = await handle.stat();
  const tail = await read(handle, Math.max(0, size - 65_557), Math.min(size, 65_557));
  const end = tail.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  if (end < 0 || end + 22 > tail.length) throw damaged(file, 'it has no directory');
  const [count, bytes, start] = [tail.readUInt16LE(end + 10), tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (start + bytes > size) throw damaged(file, 'its directory lies outside of it');
  const directory = await read(handle, start, bytes);
  const found: Member[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > bytes || directory.readUInt32LE(at) !== 0x02014b50) throw damaged(file, 'its directory is broken');
    const [nameLength, extra, comment] = [28, 30, 32].map((place) => directory.readUInt16LE(at + place));
    const member = {
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
      method: directory.readUInt16LE(at + 10),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    };
    if ([member.packed, member.size, member.offset].includes(0xffffffff)) throw damaged(file, 'it needs ZIP64');
    found.push(member);
    at += 46 + nameLength + extra + comment;
  }
  return found;
}

async function extract(handle: FileHandle, file: string, member: Member, path: string, signal?: AbortSignal) {
  if (member.method !== 0 && member.method !== 8)
    throw damaged(file, `${member.name} is packed by method ${member.method}`);
  const head = await read(handle, member.offset, 30);
  const start = member.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
  if (member.packed === 0) return writeFile(path, '');
  let written = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      written += chunk.length;
      done(written > member.size ? damaged(file, `${member.name} is longer than its directory says`) : null, chunk);
    },
  });
  const from = createReadStream(file, { start, end: start + member.packed - 1 });
  const to = createWriteStream(path);
  if (member.method === 0) await pipeline(from, counted, to, { signal });
  else await pipeline(from, createInflateRaw(), counted, to, { signal });
  if (written !== member.size) throw damaged(file, `${member.name} is cut off`);
}

async function read(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}
