/** Fetches one file to its end over a line that may break, and checks what came. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appendAnswer, bytesFrom, LongerThanAnnounced, openPart } from '../download';
import { UserError } from '../errors';
import { remove } from '../writing';
import type { PlannedFile } from './plan';
import { type Hub, refuseStatus, request, unreachable } from './request';

/** Interruptions in a row, without a byte in between, that are put up with. */
const interruptions = 5;

/** A file of the Hub at its address. */
interface Addressed {
  address: string;
  file: PlannedFile;
}

/**
 * Fills `path` with a file, going on from what is there; `tell` hears how many bytes there are. Throws a UserError when
 * the Hub refuses it, the line is down for good, the disk is full, or the content is not what the Hub said it was.
 */
export async function fetchFile(
  hub: Hub,
  { address, file }: Addressed,
  path: string,
  tell: (bytes: number) => void,
): Promise<void> {
  let wrong = 0;
  for (let failures = 0; ; ) {
    const before = sizeOf(path);
    try {
      if ((await complete(hub, { address, file }, path, tell)) === file.hash.hex) return;
    } catch (error) {
      hub.signal?.throwIfAborted();
      if (error instanceof UserError) throw error;
      failures = sizeOf(path) > before ? 0 : failures + 1;
      if (failures === interruptions) throw unreachable(hub, error);
      await sleep(hub.patience, null, { signal: hub.signal });
      continue;
    }
    remove(dirname(path), path);
    // An earlier try may have left something else here, so that once is not enough to blame the server.
    if (++wrong === 2)
      throw new UserError(`${file.name} comes with another content than the Hub says it has`, {
        file: path,
        code: 'network',
        remedy: 'Try again later; if it stays so, something between here and the Hub changes files.',
      });
  }
}

/** Bytes of a file; 0 where there is none. */
export const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Appends what is missing. Returns the hash of all; throws an error that is no UserError when the line breaks. */
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
      if (answer.status !== 200 && answer.status !== 206) {
        await answer.body?.cancel();
        refuseStatus(hub, answer.status, name);
      }
      if (answer.status === 200) hash = begin(algorithm, bytes); // it knows no ranges and begins anew
      await appendAnswer(answer, { handle, path, at, bytes }, (piece, here) => {
        hash.update(piece);
        tell(here);
      });
    }
    return hash.digest('hex');
  } catch (error) {
    if (error instanceof LongerThanAnnounced) return 'too long';
    throw error;
  } finally {
    await handle.close();
  }
}

/** git's blobs begin with their length. */
function begin(algorithm: 'sha256' | 'git', bytes: number): Hash {
  return algorithm === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
}

async function hashOf(path: string, algorithm: 'sha256' | 'git', bytes: number): Promise<Hash> {
  const hash = begin(algorithm, bytes);
  if (sizeOf(path) > 0) for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash;
}
