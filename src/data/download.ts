/** Downloads a file of known content under its final name. */
import fs from 'node:fs';
import { basename, dirname } from 'node:path';
import { fetchWithin } from '../answer-limits';
import { guardDisk } from '../disk';
import { fetchFile } from '../download';
import { UserError } from '../errors';
import { hashFile } from '../lines';
import { statOf } from '../paths';
import { flushFolder, makeFolder, move } from '../writing';

export interface PinnedFile {
  bytes: number;
  /** In hex. */
  sha256: string;
}

interface DownloadOptions {
  signal?: AbortSignal;
  delayMs?: number;
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
  { signal, delayMs = 1000, silenceMs = 60_000 }: DownloadOptions = {},
): Promise<void> {
  if (isThere(file, known)) return;
  if (fs.existsSync(file))
    throw new UserError('another file is there already', {
      file,
      code: 'download',
      remedy: 'Remove it, or choose another folder.',
    });
  guardDisk(file, 'nothing was downloaded', () => makeFolder(dirname(file), dirname(file)));
  const part = `${file}.part`;
  const { host } = new URL(url);
  const { bytes, sha256 } = known;
  await fetchFile(
    part,
    { name: basename(file), bytes, hash: { algorithm: 'sha256', digest: sha256 } },
    {
      request: (headers) => fetchWithin({ silenceMs }, url, { signal, headers }),
      refuse(status) {
        if (status < 500 && status !== 429)
          throw new UserError(`${host} answers with status ${status}`, { code: 'download', remedy: `Check ${url}.` });
      },
      unreachable: (error) => unreachable(error, host),
      otherFile: () =>
        new UserError(`${host} sent a file other than the expected one`, {
          code: 'download',
          remedy: 'Try again, or name another mirror; nothing was kept.',
        }),
      signal,
      delayMs,
    },
  );
  guardDisk(file, 'the download is beside it', () => {
    move(dirname(file), part, file);
    flushFolder(dirname(file));
  });
}

function unreachable(error: unknown, host: string): UserError {
  let deepest = error as Error;
  while (deepest.cause instanceof Error) deepest = deepest.cause;
  return new UserError(`${host} cannot be reached: ${deepest.message}`, {
    code: 'download',
    remedy: 'Check the connection and run it again: the download resumes. Another server can be named with --mirror.',
    cause: error,
  });
}
