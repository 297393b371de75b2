/**
 * Extracts selected members of a zip file (APPNOTE.TXT 6.3), reading it in pieces from disk.
 * Node inflates; fflate would hold the whole archive in memory, and src/zip.ts checks sizes and paths itself.
 */
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { damagedZip, type ZipMember, zipMembers, zipStart } from '../zip';
import type { InstallWatch } from './report';

/** Extracts the members that `chosen` maps to a path relative to `folder`. Returns their number. */
export async function unzip(
  file: string,
  folder: string,
  chosen: (name: string) => string | null,
  watch: InstallWatch,
): Promise<number> {
  const handle = await open(file);
  try {
    const wanted = (await zipMembers(handle, file)).flatMap((member) => {
      const path = chosen(member.name);
      return path === null ? [] : [{ member, path: join(folder, path) }];
    });
    const total = wanted.reduce((sum, { member }) => sum + member.size, 0);
    let done = 0;
    for (const { member, path } of wanted) {
      watch.signal?.throwIfAborted();
      mkdirSync(dirname(path), { recursive: true });
      await extract({ handle, file }, member, path, watch.signal);
      done += member.size;
      watch.progress({ doing: 'Unpacking', done, total });
    }
    return wanted.length;
  } finally {
    await handle.close();
  }
}

interface OpenZip {
  handle: FileHandle;
  file: string;
}

async function extract({ handle, file }: OpenZip, member: ZipMember, path: string, signal?: AbortSignal) {
  if (member.method !== 0 && member.method !== 8)
    throw damagedZip(file, `${member.name} uses the unsupported compression method ${member.method}`);
  const start = await zipStart(handle, member);
  if (member.packed === 0) return writeFile(path, '');
  let written = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      written += chunk.length;
      done(written > member.size ? damagedZip(file, `${member.name} is longer than its directory says`) : null, chunk);
    },
  });
  const from = createReadStream(file, { start, end: start + member.packed - 1 });
  const to = createWriteStream(path);
  if (member.method === 0) await pipeline(from, counted, to, { signal });
  else await pipeline(from, createInflateRaw(), counted, to, { signal });
  if (written !== member.size) throw damagedZip(file, `${member.name} is truncated`);
}
