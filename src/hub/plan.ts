/** A planned download from the Hub: a commit, its files, and their sizes. */
import type { ListFileEntry } from '@huggingface/hub';
import { AnswerCutOff } from '../answer-limits';
import { UserError } from '../errors';
import { isCommit, type RepositoryKind } from './cache';
import type { RepositoryName } from './name';
import { type Hub, refuseStatus, request, unreachable } from './request';

export interface PlannedFile {
  /** Path in the repository, with slashes. */
  path: string;
  /** Path in the target folder: relative, and inside it. */
  name: string;
  bytes: number;
  /** Hash of the content, or of git's blob of it. */
  hash: { algorithm: 'sha256' | 'git'; digest: string };
}

export interface DownloadPlan {
  kind: RepositoryKind;
  name: RepositoryName;
  /** The name as the user wrote it, for messages. */
  what: string;
  commit: string;
  /** Folder in the snapshot of the commit; '' for the snapshot itself. */
  folder: string;
  files: PlannedFile[];
  bytes: number;
}

/** A commit of a repository as reported by the Hub. */
export interface RepositoryListing {
  commit: string;
  /** Its files by path. */
  files: Map<string, ListFileEntry>;
  /** The settings at the top of its readme. */
  card: unknown;
}

/** Maximum files of a repository: students have few, all in the root folder. */
const maxFiles = { model: 5000, dataset: 50_000 };
/** For one page of a listing; the Hub's have at most 1000 files. */
const pageLimits = { totalMs: 5 * 60_000, bytes: 16 << 20 };
/** Maximum pages: each may name another one. */
const maxPages = 500;

/** Asks the Hub about a repository. @throws UserError when it does not exist or access is denied */
export async function lookUpRepository(
  hub: Hub,
  kind: RepositoryKind,
  name: RepositoryName,
  what: string,
): Promise<RepositoryListing> {
  // Loaded on demand: the library is large, and most commands never download.
  const { HubApiError, datasetInfo, listFiles, modelInfo } = await import('@huggingface/hub');
  let pages = 0;
  const options = {
    hubUrl: hub.url,
    fetch: ((address: string, { headers }: { headers: Record<string, string> }) => {
      if (++pages > maxPages) throw new AnswerCutOff(`the listing has more than ${maxPages} pages`, true);
      return request(hub, address, plain(headers), pageLimits);
    }) as typeof fetch,
  };
  const { repository, revision } = name;
  try {
    const asked = { ...options, name: repository, revision };
    const info =
      kind === 'dataset'
        ? await datasetInfo({ ...asked, additionalFields: ['sha', 'cardData'] })
        : await modelInfo({ ...asked, additionalFields: ['sha'] });
    const commit = info.sha;
    if (!isCommit(commit)) throw new UserError(`the Hub names no commit for ${what}`, { code: 'network' });
    const files: RepositoryListing['files'] = new Map();
    const tree = { repo: { type: kind, name: repository }, revision: commit, recursive: kind === 'dataset' };
    for await (const entry of listFiles({ ...options, ...tree })) {
      if (entry.type === 'file') files.set(entry.path, entry);
      if (files.size > maxFiles[kind])
        throw new UserError(`${what} has more than ${maxFiles[kind]} files`, {
          code: 'checkpoint',
          remedy: `Is it a ${kind}?`,
        });
    }
    return { commit, files, card: 'cardData' in info ? info.cardData : undefined };
  } catch (error) {
    if (error instanceof HubApiError) return refuseStatus(hub, error.statusCode, what);
    if (error instanceof UserError || hub.signal?.aborted) throw error;
    if (error instanceof AnswerCutOff) throw unreachable(hub, error);
    throw new UserError(`${new URL(hub.url).host} does not answer like the Hugging Face Hub`, {
      code: 'network',
      remedy: 'Check HF_ENDPOINT.',
      cause: error,
    });
  }
}

/** The library must not add a token of ours, as `request` decides who gets it. */
const plain = (headers: Record<string, string>) => Object.fromEntries(new Headers(headers));

/** A file of the listing, stored as `name`. */
export function planned({ path, size, oid, lfs }: ListFileEntry, name: string, what: string): PlannedFile {
  const bytes = lfs?.size ?? size;
  const hash =
    lfs !== undefined
      ? { algorithm: 'sha256' as const, digest: lfs.oid }
      : { algorithm: 'git' as const, digest: oid ?? '' };
  const lengths = { sha256: 64, git: 40 };
  if (
    !Number.isSafeInteger(bytes) ||
    bytes < 0 ||
    !/^[0-9a-f]+$/.test(hash.digest) ||
    hash.digest.length !== lengths[hash.algorithm]
  )
    throw new UserError(`the Hub does not give size and hash of ${path} in ${what}`, {
      code: 'network',
      remedy: 'Check HF_ENDPOINT.',
    });
  return { path, name, bytes, hash };
}
