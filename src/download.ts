/** Writes a download to a file that may already contain a part of it. */
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError } from './disk';
import { openToAppend } from './writing';

/** More arrived than was announced: the server has another file. */
export class LongerThanAnnounced extends Error {}

/** Opens a file to resume a download; it is created if it does not exist. */
export function openPart(path: string): Promise<FileHandle> {
  return openToAppend(dirname(path), path).catch((error) => {
    throw diskError(error, path, 'nothing was downloaded');
  });
}

/** Request headers for the uncompressed bytes from `at` on. */
export const bytesFrom = (at: number): Record<string, string> => ({
  'accept-encoding': 'identity',
  ...(at > 0 && { range: `bytes=${at}-` }),
});

/**
 * Appends a response with status 206 (from byte `at` on) or 200 (everything, as the server ignores ranges) until the
 * file at `path` has `bytes`; `took` is called for each piece being written, with the number of bytes so far. Flushes
 * the file. @throws UserError for disk errors; another error when the connection breaks or the server sends something
 * else
 */
export async function appendAnswer(
  answer: Response,
  { handle, path, at, bytes }: { handle: FileHandle; path: string; at: number; bytes: number },
  took: (piece: Uint8Array, here: number) => void,
): Promise<void> {
  let here = at;
  if (answer.status === 200) {
    await handle.truncate(0);
    here = 0;
  } else if (!continues(answer, at)) throw new Error('the server sent a different range than requested');
  for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    here += piece.length;
    if (here > bytes) throw new LongerThanAnnounced('it is longer than announced');
    await handle.writeFile(piece).catch((error) => {
      throw diskError(error, path, 'the downloaded part is kept, and the next attempt resumes');
    });
    took(piece, here);
  }
  if (here < bytes) throw new Error(`the connection broke after ${here} of ${bytes} bytes`);
  await handle.sync();
}

/** Whether a response with status 206 begins at byte `at`. */
export const continues = (answer: Response, at: number): boolean =>
  answer.headers.get('content-range')?.startsWith(`bytes ${at}-`) ?? false;
