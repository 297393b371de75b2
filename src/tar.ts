/** Tar archives, by tar-stream. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';

/**
 * The regular files of an archive, with or without gzip, by path; only those for whose path `wanted` is true. @throws
 * Error when it is damaged, or its files have more than `most` bytes together
 */
export async function tarFiles(
  archive: Uint8Array,
  wanted: (path: string) => boolean,
  most: number,
): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const reader = extract();
  let bytes = 0;
  reader.on('entry', ({ name, type, size = 0 }, stream, next) => {
    const parts: Buffer[] = [];
    const kept = type === 'file' && wanted(name);
    bytes += size;
    if (bytes > most) reader.destroy(new Error('it is too large'));
    stream.on('error', () => {}); // the reader reports it
    stream.on('data', (part) => kept && parts.push(part as Buffer));
    stream.on('end', () => {
      if (kept) files.set(name, Buffer.concat(parts));
      next();
    });
  });
  const source = Readable.from([archive]);
  const packed = archive[0] === 0x1f && archive[1] === 0x8b;
  await (packed ? pipeline(source, createGunzip(), reader) : pipeline(source, reader));
  return files;
}
