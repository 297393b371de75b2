/** Downloads from package registries. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fetchWithin, release } from '../answer-limits';
import { fetchFile as fetchKnown, type KnownFile } from '../download';
import { UserError } from '../errors';
import type { InstallWatch } from './report';

export interface RemoteFile {
  url: string;
  /** The name for messages. */
  name: string;
  /** Size in bytes; a longer reply is an error. */
  size: number;
  hash: KnownFile['hash'];
}

const silenceMs = 60_000;
/** For a registry's document; PyPI's largest have about ten million bytes. */
const documentLimits = { silenceMs, totalMs: silenceMs, bytes: 100 << 20 };

/** Downloads a file to `path`. Received bytes are kept until the content proves wrong. @throws UserError */
export async function fetchFile(remote: RemoteFile, path: string, watch: InstallWatch): Promise<void> {
  const { url, name, size, hash } = remote;
  const { progress, signal } = watch;
  mkdirSync(dirname(path), { recursive: true });
  await fetchKnown(
    path,
    { name, bytes: size, hash },
    {
      request: (headers) => fetchWithin({ silenceMs }, url, { headers, signal }),
      refuse: () => {},
      unreachable: (error) => unreachable(error, remote, watch),
      otherFile: (why) =>
        new UserError(`${why}: ${new URL(url).host} sent another file than it published`, {
          code: 'network',
          remedy:
            'The file was deleted. Try again. ' +
            'If it happens again, something between you and the registry changes files.',
        }),
      progress: (done) => progress({ doing: `Downloading ${name}`, done, total: size }),
      signal,
      delayMs: 1000,
    },
  );
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
