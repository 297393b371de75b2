/** Downloads files from package registries, resuming earlier attempts and verifying hashes. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fetchWithin, release } from '../answer-limits';
import { diskError } from '../disk';
import { appendAnswer, bytesFrom, openPart } from '../download';
import { UserError } from '../errors';
import { sizeOf } from '../paths';
import type { InstallWatch } from './report';

export interface RemoteFile {
  url: string;
  /** The name for messages. */
  name: string;
  /** Size in bytes; a longer reply is an error. */
  size: number;
  /** Of the whole file: `sha256` in hex or `sha512` in base64. */
  hash: { algorithm: 'sha256' | 'sha512'; digest: string; encoding: 'hex' | 'base64' };
}

const silenceMs = 60_000;
/** For a registry's document; PyPI's largest have about ten million bytes. */
const documentLimits = { silenceMs, totalMs: silenceMs, bytes: 100 << 20 };

/** Downloads a file to `path`. Received bytes are kept until the hash proves wrong. @throws UserError */
export async function fetchFile(remote: RemoteFile, path: string, watch: InstallWatch): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    try {
      if (sizeOf(path) > remote.size) rmSync(path);
      if (sizeOf(path) < remote.size) await append(remote, path, watch);
      break;
    } catch (error) {
      const known = diskError(error, path, 'the downloaded part is kept, and the next attempt resumes');
      if (watch.signal?.aborted || known instanceof UserError || attempt === 3) throw unreachable(known, remote, watch);
    }
  }
  if ((await hashOf(path, remote.hash)) === remote.hash.digest) return;
  rmSync(path);
  throw new UserError(`the hash of ${remote.name} differs from the one published by ${new URL(remote.url).host}`, {
    code: 'network',
    remedy:
      'The file was deleted. Try again. If it happens again, something between you and the registry changes files.',
  });
}

async function append(
  { name, url, size }: RemoteFile,
  path: string,
  { progress, signal }: InstallWatch,
): Promise<void> {
  const at = sizeOf(path);
  const answer = await fetchWithin({ silenceMs }, url, { headers: bytesFrom(at), signal });
  try {
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const handle = await openPart(path);
    const tell = (done: number) => progress({ doing: `Fetching ${name}`, done, total: size });
    await appendAnswer(answer, { handle, path, at, bytes: size }, (_, done) => tell(done)).finally(() =>
      handle.close(),
    );
  } finally {
    await release(answer);
  }
}

/** Downloads a short document, such as a registry's JSON. @throws UserError */
export async function fetchJson(url: string, name: string, watch: InstallWatch): Promise<unknown> {
  try {
    const response = await fetchWithin(documentLimits, url, { signal: watch.signal });
    try {
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return JSON.parse(await response.text());
    } finally {
      await release(response);
    }
  } catch (error) {
    throw unreachable(error, { url, name }, watch);
  }
}

function unreachable(
  error: unknown,
  { url, name }: Pick<RemoteFile, 'url' | 'name'>,
  { signal }: InstallWatch,
): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof UserError) return error;
  const { message, cause } = error as Error;
  return new UserError(`${name} cannot be downloaded: ${(cause as Error)?.message || message}`, {
    file: url,
    code: 'network',
    remedy:
      'Check the connection and HTTPS_PROXY, then try again: the download ' +
      'resumes. Without a network, name an installed ' +
      'TensorFlow: `--from <python or folder>`.',
    cause: error,
  });
}

async function hashOf(path: string, { algorithm, encoding }: RemoteFile['hash']): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest(encoding);
}
