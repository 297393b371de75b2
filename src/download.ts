/** Downloads a file of known content over an unreliable connection: it resumes, and verifies the hash. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { release } from './answer-limits';
import { diskError } from './disk';
import { UserError } from './errors';
import { sizeOf } from './paths';
import { openToAppend, remove } from './writing';

export interface KnownFile {
  /** For messages. */
  name: string;
  bytes: number;
  /** Of the content, or of git's blob of it; in hex by default. */
  hash: { algorithm: 'sha256' | 'sha512' | 'git'; digest: string; encoding?: 'hex' | 'base64' };
}

/** Where a file comes from. */
export interface DownloadSource {
  request(headers: Record<string, string>): Promise<Response>;
  /** For a status other than success: throws a UserError where no other attempt will help. */
  refuse(status: number): void;
  /** The error after the last attempt. */
  unreachable(error: unknown): unknown;
  /** The error for another file, which was deleted: `why` says how it differs. */
  otherFile(why: string): UserError;
  /** Called with the number of bytes so far. */
  progress?(bytes: number): void;
  signal?: AbortSignal;
  /** Milliseconds between two attempts. */
  delayMs: number;
}

/** Maximum consecutive interruptions without progress. */
const interruptions = 5;

const kept = 'the downloaded part is kept, and the next attempt resumes';

/** The server has another file. */
class OtherFile extends Error {}

/**
 * Downloads a file to `path`, resuming a partial one. @throws UserError for errors of the disk and those of the source
 */
export async function fetchFile(path: string, file: KnownFile, source: DownloadSource): Promise<void> {
  let furthest = sizeOf(path);
  let restarted = false;
  for (let failures = 0; ; ) {
    const resumes = sizeOf(path) > 0;
    try {
      return await complete(path, file, source);
    } catch (error) {
      source.signal?.throwIfAborted();
      if (error instanceof OtherFile) {
        remove(dirname(path), path);
        // What an earlier attempt left may be wrong, so the server is blamed only for a file that it sent whole, or the
        // second time: one that breaks off and resumes wrongly would be asked without end.
        if (!resumes || restarted) throw source.otherFile(error.message);
        restarted = true;
        furthest = 0;
        continue;
      }
      const known = diskError(error, path, kept);
      if (known instanceof UserError) throw known;
      // Beyond the furthest attempt, not the last: a server that ignores ranges starts from the beginning each time.
      failures = sizeOf(path) > furthest ? 0 : failures + 1;
      furthest = Math.max(furthest, sizeOf(path));
      if (failures === interruptions) throw source.unreachable(error);
      await sleep(source.delayMs, undefined, { signal: source.signal });
    }
  }
}

/** Appends the missing part. @throws OtherFile for other content; another error when the connection breaks */
async function complete(path: string, file: KnownFile, source: DownloadSource): Promise<void> {
  const { name, bytes, hash: known } = file;
  const at = sizeOf(path);
  if (at > bytes) throw new OtherFile(`${name} is longer than announced`);
  let hash = begin(file);
  if (at > 0)
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  source.progress?.(at);
  if (bytes === 0) await (await openPart(path)).close();
  if (at < bytes) {
    const headers = { 'accept-encoding': 'identity', ...(at > 0 && { range: `bytes=${at}-` }) };
    const answer = await source.request(headers);
    try {
      if (answer.status === 200) hash = begin(file); // the server ignores ranges and starts from the beginning
      await append(answer, { path, at, file, source }, (piece) => hash.update(piece));
    } finally {
      await release(answer);
    }
  }
  if (hash.digest(known.encoding ?? 'hex') !== known.digest) throw new OtherFile(`the hash of ${name} differs`);
}

/** git's hash includes a header with the length. */
function begin({ bytes, hash: { algorithm } }: KnownFile): Hash {
  return algorithm === 'git' ? createHash('sha1').update(`blob ${bytes}\0`) : createHash(algorithm);
}

/** Opens a file to append to; it is created if it does not exist. */
function openPart(path: string): Promise<FileHandle> {
  return openToAppend(dirname(path), path).catch((error) => {
    throw diskError(error, path, 'nothing was downloaded');
  });
}

interface Part {
  path: string;
  at: number;
  file: KnownFile;
  source: DownloadSource;
}

/** Appends a response, from byte `at` on or with status 200 everything, and flushes the file. */
async function append(
  answer: Response,
  { path, at, file: { name, bytes }, source }: Part,
  took: (piece: Uint8Array) => void,
): Promise<void> {
  const { status, headers } = answer;
  const resumes = status === 206 && headers.get('content-range')?.startsWith(`bytes ${at}-`);
  if (status === 416 || (status === 206 && !resumes)) {
    remove(dirname(path), path);
    throw new Error('the server cannot resume the download');
  }
  if (!answer.ok) {
    source.refuse(status);
    throw new Error(`HTTP ${status}`);
  }
  let here = resumes ? at : 0;
  const announced = headers.has('content-encoding') ? null : headers.get('content-length');
  if (announced !== null && here + Number(announced) !== bytes)
    throw new OtherFile(`${name} is ${here + Number(announced) > bytes ? 'longer' : 'shorter'} than announced`);
  const handle = await openPart(path);
  try {
    if (here === 0) await handle.truncate(0);
    for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
      here += piece.length;
      if (here > bytes) throw new OtherFile(`${name} is longer than announced`);
      await handle.writeFile(piece).catch((error) => {
        throw diskError(error, path, kept);
      });
      took(piece);
      source.progress?.(here);
    }
    if (here < bytes) throw new Error(`the connection broke after ${here} of ${bytes} bytes`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
