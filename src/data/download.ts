/**
 * Downloads a file of known content: resumable, with a size limit, and under its final name only when its hash is
 * correct.
 */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchWithin, release } from '../answer-limits';
import { guardDisk } from '../disk';
import { appendAnswer, bytesFrom, continues, LongerThanAnnounced, openPart } from '../download';
import { UserError } from '../errors';
import { hashFile } from '../lines';
import { sizeOf, statOf } from '../paths';
import { flushFolder, makeFolder, move, remove } from '../writing';

export interface PinnedFile {
  bytes: number;
  /** In hex. */
  sha256: string;
}

export interface DownloadOptions {
  signal?: AbortSignal;
  /** Called with the number of bytes so far. */
  progress?: (bytes: number) => void;
  attempts?: number;
  firstWaitMs?: number;
  /** Timeout for silence of the server. */
  silenceMs?: number;
}

/** Whether the file exists with the right content. */
export function isThere(file: string, { bytes, sha256 }: PinnedFile): boolean {
  return statOf(file)?.size === bytes && hashFile(file) === sha256;
}

/**
 * Downloads `url` to `file` through `<file>.part`, which a later call resumes. @throws UserError for errors of the
 * server or the disk, or different content; an existing file that differs is not changed
 */
export async function download(
  url: string,
  file: string,
  known: PinnedFile,
  options: DownloadOptions = {},
): Promise<void> {
  const { signal, attempts = 4, firstWaitMs = 500 } = options;
  if (isThere(file, known)) return;
  if (fs.existsSync(file))
    throw new UserError('another file is there already', {
      file,
      code: 'download',
      remedy: 'Remove it, or choose another folder.',
    });
  guardDisk(file, 'nothing was downloaded', () => makeFolder(dirname(file), dirname(file)));
  const part = `${file}.part`;
  for (let attempt = 1; ; attempt++) {
    try {
      await fetchRest(url, part, known.bytes, options);
      break;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof UserError || attempt >= attempts) throw asUserError(error, url);
      await sleep(firstWaitMs * 2 ** (attempt - 1), undefined, { signal });
    }
  }
  if (fs.statSync(part).size !== known.bytes || hashFile(part) !== known.sha256) {
    throw unexpected(url, part);
  }
  guardDisk(file, 'the download is beside it', () => {
    move(dirname(file), part, file);
    flushFolder(dirname(file));
  });
}

/** A transient error, worth another attempt. */
class TransientError extends Error {}

async function fetchRest(url: string, part: string, bytes: number, options: DownloadOptions) {
  let at = sizeOf(part);
  if (at > bytes) {
    remove(dirname(part), part);
    at = 0;
  }
  if (at === bytes) return;
  const { signal, silenceMs = 60_000 } = options;
  const answer = await fetchWithin({ silenceMs }, url, { signal, headers: bytesFrom(at) });
  try {
    await keep(answer, { url, part, at, bytes }, options);
  } finally {
    await release(answer);
  }
}

async function keep(
  answer: Response,
  { url, part, at, bytes }: { url: string; part: string; at: number; bytes: number },
  { progress }: DownloadOptions,
): Promise<void> {
  if (answer.status === 416 || (answer.status === 206 && !continues(answer, at))) {
    remove(dirname(part), part);
    throw new TransientError('the server cannot resume the download');
  }
  if (answer.status >= 500 || answer.status === 429) throw new TransientError(`status ${answer.status}`);
  if (!answer.ok || !answer.body)
    throw new UserError(`${new URL(url).host} answers with status ${answer.status}`, {
      code: 'download',
      remedy: `Check ${url}.`,
    });
  const announced = Number(answer.headers.get('content-length') ?? Number.NaN);
  if ((answer.status === 200 ? 0 : at) + announced !== bytes && !Number.isNaN(announced)) throw unexpected(url, part);
  const handle = await openPart(part);
  try {
    await appendAnswer(answer, { handle, path: part, at, bytes }, (_, here) => progress?.(here));
  } catch (error) {
    throw error instanceof LongerThanAnnounced ? unexpected(url, part) : error;
  } finally {
    await handle.close();
  }
}

function unexpected(url: string, part: string): UserError {
  remove(dirname(part), part);
  return new UserError(`${new URL(url).host} sent a file other than the expected one`, {
    code: 'download',
    remedy: 'Try again, or name another mirror; nothing was kept.',
  });
}

function asUserError(error: unknown, url: string): UserError {
  if (error instanceof UserError) return error;
  let deepest = error as Error;
  while (deepest.cause instanceof Error) deepest = deepest.cause;
  return new UserError(`${new URL(url).host} cannot be reached: ${deepest.message}`, {
    code: 'download',
    remedy: 'Check the connection and run it again: the download resumes. Another server can be named with --mirror.',
    cause: error,
  });
}
