/** Fetching a file whose content is known beforehand: resumable, bounded, and there only when its hash is right. */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { flushFolder, guardDisk } from '../disk';
import { UserError } from '../errors';
import { hashFile } from '../lines';

export interface Known {
  bytes: number;
  /** In hex. */
  sha256: string;
}

export interface DownloadOptions {
  signal?: AbortSignal;
  /** Told the bytes there are. */
  progress?: (bytes: number) => void;
  attempts?: number;
  firstWaitMs?: number;
  /** Longest silence of the server. */
  silenceMs?: number;
}

/** Whether the file is there, whole and unchanged. */
export function isThere(file: string, { bytes, sha256 }: Known): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.size === bytes && hashFile(file) === sha256;
}

/**
 * Fetches `url` to `file` by way of `<file>.part`, which a later call goes on with. Errors: the server's, another content than is known,
 * the disk; a file that is there and differs is left alone.
 */
export async function download(url: string, file: string, known: Known, options: DownloadOptions = {}): Promise<void> {
  const { signal, attempts = 4, firstWaitMs = 500 } = options;
  if (isThere(file, known)) return;
  if (fs.existsSync(file))
    throw new UserError('another file is there already', {
      file,
      code: 'download',
      remedy: 'Remove it, or choose another folder.',
    });
  guardDisk(file, 'nothing was fetched', () => fs.mkdirSync(dirname(file), { recursive: true }));
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
    fs.renameSync(part, file);
    flushFolder(dirname(file));
  });
}

/** A fault that another attempt may get over. */
class Passing extends Error {}

async function fetchRest(
  url: string,
  part: string,
  bytes: number,
  { signal, progress, silenceMs = 60_000 }: DownloadOptions,
) {
  let at = fs.statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  if (at > bytes) at = 0;
  if (at === bytes) return;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), silenceMs);
  const both = AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]);
  try {
    // Identity: a range is one of the bytes that are kept, not of compressed ones.
    const headers = { 'Accept-Encoding': 'identity', ...(at > 0 && { Range: `bytes=${at}-` }) };
    const response = await fetch(url, { signal: both, headers });
    if (
      response.status === 416 ||
      (response.status === 206 && !response.headers.get('content-range')?.startsWith(`bytes ${at}-`))
    ) {
      fs.rmSync(part, { force: true });
      throw new Passing('the server cannot go on where it was');
    }
    if (response.status >= 500 || response.status === 429) throw new Passing(`status ${response.status}`);
    if (!response.ok || !response.body)
      throw new UserError(`${new URL(url).host} answers with status ${response.status}`, {
        code: 'download',
        remedy: `Check ${url}.`,
      });
    if (response.status === 200) at = 0;
    const told = Number(response.headers.get('content-length') ?? Number.NaN);
    if (at + told !== bytes && !Number.isNaN(told)) throw unexpected(url, part);
    const handle = guardDisk(part, 'nothing was fetched', () => fs.openSync(part, at > 0 ? 'r+' : 'w'));
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silenceMs);
        if (at + chunk.length > bytes) throw unexpected(url, part);
        guardDisk(part, 'what came before is kept', () => fs.writeSync(handle, chunk, 0, chunk.length, at));
        at += chunk.length;
        progress?.(at);
      }
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
    if (at < bytes) throw new Passing(`it ended after ${at} of ${bytes} bytes`);
  } finally {
    clearTimeout(timer);
  }
}

function unexpected(url: string, part: string): UserError {
  fs.rmSync(part, { force: true });
  return new UserError(`what ${new URL(url).host} sends is not the file that is expected`, {
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
    remedy:
      'Check the connection and run it again: it goes on where it was. A copy elsewhere can be named with --mirror.',
    cause: error,
  });
}
