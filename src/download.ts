/** The bytes of a download, on their way to a file that may hold some of them already. */
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError } from './disk';
import { openToAppend } from './writing';

/** More came than was announced: the server has another file. */
export class LongerThanAnnounced extends Error {}

/** Opens a file that a download goes on with; it is made where it is not there. */
export function openPart(path: string): Promise<FileHandle> {
  return openToAppend(dirname(path), path).catch((error) => {
    throw diskError(error, path, 'nothing was fetched');
  });
}

/** Headers that ask for the bytes from `at` on, as they are kept and not compressed. */
export const bytesFrom = (at: number): Record<string, string> => ({
  'accept-encoding': 'identity',
  ...(at > 0 && { range: `bytes=${at}-` }),
});

/**
 * Appends what an answer with status 206 (from byte `at` on) or 200 (all of it: the server knows no ranges) brings,
 * until the file at `path` has `bytes`; `took` hears each piece when it is on its way to the disk, and how many bytes
 * there are then. Flushes the file. Throws a UserError for faults of the disk, and what is none for a line that breaks
 * or a server that sends something else.
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
  } else if (!continues(answer, at)) throw new Error('the server sent another range than it was asked for');
  for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    here += piece.length;
    if (here > bytes) throw new LongerThanAnnounced('it is longer than announced');
    await handle.writeFile(piece).catch((error) => {
      throw diskError(error, path, 'the downloaded part is kept, and the next attempt resumes');
    });
    took(piece, here);
  }
  if (here < bytes) throw new Error(`the line was cut after ${here} of ${bytes} bytes`);
  await handle.sync();
}

/** The text of an answer, of at most so many bytes: a server may send without an end. */
export async function boundedText(answer: Response, most: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > most) throw new Error(`more than ${most} bytes came`);
    parts.push(piece);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Whether an answer with status 206 goes on from byte `at`. */
export const continues = (answer: Response, at: number): boolean =>
  answer.headers.get('content-range')?.startsWith(`bytes ${at}-`) ?? false;

/** Work over a line, ended by `signal` and by a silence of so long; `heard` begins the silence anew. */
export async function unlessSilent<T>(
  silenceMs: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal, heard: () => void) => Promise<T>,
): Promise<T> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error(`no answer for ${silenceMs / 1000} s`)), silenceMs);
  try {
    return await work(AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]), () => timer.refresh());
  } finally {
    clearTimeout(timer);
  }
}
