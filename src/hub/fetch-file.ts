/** Downloads one file completely over an unreliable connection, and verifies it. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { release } from '../answer-limits';
import { appendAnswer, bytesFrom, LongerThanAnnounced, openPart } from '../download';
import { UserError } from '../errors';
import { sizeOf } from '../paths';
import { remove } from '../writing';
import type { PlannedFile } from './plan';
import { type Hub, refuseStatus, request, unreachable } from './request';

/** Maximum consecutive interruptions without progress. */
const interruptions = 5;

/** A file of the Hub with its URL. */
interface Addressed {
  address: string;
  file: PlannedFile;
}

/**
 * Downloads a file to `path`, resuming a partial one; `tell` receives the number of bytes so far. @throws UserError
 * when the Hub refuses it, the connection fails permanently, the disk is full, or the hash is wrong
 */
export async function fetchFile(
  hub: Hub,
  { address, file }: Addressed,
  path: string,
  tell: (bytes: number) => void,
): Promise<void> {
  let wrong = 0;
  let furthest = sizeOf(path);
  for (let failures = 0; ; ) {
    try {
      if ((await complete(hub, { address, file }, path, tell)) === file.hash.hex) return;
    } catch (error) {
      hub.signal?.throwIfAborted();
      if (error instanceof UserError) throw error;
      // Beyond the furthest attempt, not the last: a server that ignores ranges starts from the beginning each time.
      failures = sizeOf(path) > furthest ? 0 : failures + 1;
      furthest = Math.max(furthest, sizeOf(path));
      if (failures === interruptions) throw unreachable(hub, error);
      await sleep(hub.retryDelayMs, null, { signal: hub.signal });
      continue;
    }
    remove(dirname(path), path);
    furthest = 0;
    // An earlier attempt may have left wrong data here, so the server is blamed only the second time.
    if (++wrong === 2)
      throw new UserError(`the hash of ${file.name} differs from the one that the Hub gives`, {
        file: path,
        code: 'network',
        remedy: 'Try again later. If it keeps happening, something between here and the Hub changes files.',
      });
  }
}

/**
 * Appends the missing part. Returns the hash of the whole; throws an error other than UserError when the connection
 * breaks.
 */
async function complete(
  hub: Hub,
  { address, file }: Addressed,
  path: string,
  tell: (bytes: number) => void,
): Promise<string> {
  const { name, bytes } = file;
  const { algorithm } = file.hash;
  const at = sizeOf(path);
  if (at > bytes) return 'too long';
  let hash = await hashOf(path, algorithm, bytes);
  tell(at);
  const handle = await openPart(path);
  try {
    if (at < bytes) {
      const answer = await request(hub, address, { range: 'bytes=0-', ...bytesFrom(at) });
      try {
        if (answer.status !== 200 && answer.status !== 206) refuseStatus(hub, answer.status, name);
        // With 200 the server ignores ranges and starts from the beginning.
        if (answer.status === 200) hash = begin(algorithm, bytes);
        await appendAnswer(answer, { handle, path, at, bytes }, (piece, here) => {
          hash.update(piece);
          tell(here);
        });
      } finally {
        await release(answer);
      }
    }
    return hash.digest('hex');
  } catch (error) {
    if (error instanceof LongerThanAnnounced) return 'too long';
    throw error;
  } finally {
    await handle.close();
  }
}

/** git's hash includes a header with the length. */
function begin(algorithm: 'sha256' | 'git', bytes: number): Hash {
  return algorithm === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
}

async function hashOf(path: string, algorithm: 'sha256' | 'git', bytes: number): Promise<Hash> {
  const hash = begin(algorithm, bytes);
  if (sizeOf(path) > 0) for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash;
}
