/** What fetching a student of the Hub means: its commit, the files that are needed, and how much there is of it. */
import type { ListFileEntry } from '@huggingface/hub';
import { UserError } from '../errors';
import { isCommit } from './cache';
import { type StudentName, studentNameText } from './name';
import { type Hub, refuseStatus, request } from './request';

export interface PlannedFile {
  /** A plain file name: students have no folders. */
  name: string;
  bytes: number;
  /** Of the content, or of git's blob of it. */
  hash: { algorithm: 'sha256' | 'git'; hex: string };
}

export interface DownloadPlan {
  student: StudentName;
  commit: string;
  files: PlannedFile[];
  bytes: number;
}

const wanted = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'LICENSE',
  'README.md',
];
const single = 'model.safetensors';
const index = 'model.safetensors.index.json';
const isShard = (name: string) => /^model-\d{5}-of-\d{5,6}\.safetensors$/.test(name);
/** A repository lists its whole tree; students have few files in its root. */
const maxEntries = 5000;

/** Asks the Hub what there is. Throws a UserError when the model is not there, not for us, or no student. */
export async function planDownload(hub: Hub, student: StudentName): Promise<DownloadPlan> {
  const what = studentNameText(student);
  // Only now: it is large, and most who name students never fetch one.
  const { HubApiError, listFiles, modelInfo } = await import('@huggingface/hub');
  const options = {
    hubUrl: hub.url,
    fetch: ((address: string, { headers }: { headers: Record<string, string> }) =>
      request(hub, address, plain(headers))) as typeof fetch,
  };
  try {
    const { repository, revision } = student;
    const { sha: commit } = await modelInfo({ ...options, name: repository, revision, additionalFields: ['sha'] });
    if (!isCommit(commit)) throw new UserError(`the Hub names no commit for ${what}`, { code: 'network' });
    const entries: ListFileEntry[] = [];
    for await (const entry of listFiles({ ...options, repo: { type: 'model', name: repository }, revision: commit })) {
      if (entries.push(entry) > maxEntries)
        throw new UserError(`${what} has more than ${maxEntries} files`, {
          code: 'checkpoint',
          remedy: 'Is it a model?',
        });
    }
    const files = choose(entries, what);
    return { student, commit, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  } catch (error) {
    if (error instanceof HubApiError) return refuseStatus(hub, error.statusCode, what);
    if (error instanceof UserError || hub.signal?.aborted) throw error;
    throw new UserError(`${new URL(hub.url).host} does not answer as the Hugging Face Hub does`, {
      code: 'network',
      remedy: 'Check HF_ENDPOINT.',
      cause: error,
    });
  }
}

/** The library puts no token of ours into them, as `request` decides who gets it. */
const plain = (headers: Record<string, string>) => Object.fromEntries(new Headers(headers));

function choose(entries: readonly ListFileEntry[], what: string): PlannedFile[] {
  const files = new Map(entries.filter(({ type }) => type === 'file').map((entry) => [entry.path, entry]));
  const lacks = (name: string, remedy: string): never => {
    throw new UserError(`${what} has no ${name}`, { code: 'checkpoint', remedy });
  };
  if (!files.has('config.json')) lacks('config.json', 'It is not a model of transformers: choose another repository.');
  if (!files.has('tokenizer.json'))
    lacks('tokenizer.json', 'Convert its tokenizer with transformers and give the folder.');
  const shards = [...files.keys()].filter(isShard);
  const sharded = files.has(index) && shards.length > 0 ? [index, ...shards] : [];
  const weights = files.has(single) ? [single] : sharded;
  if (weights.length === 0)
    lacks(
      'weights as safetensors',
      [...files.keys()].some((name) => name.endsWith('.gguf'))
        ? 'It has GGUF files: fetch one of them and give its path.'
        : 'Convert them with transformers (save_pretrained) and give the folder.',
    );
  return [...wanted.filter((name) => files.has(name)), ...weights].map((name) => planned(files.get(name)!, what));
}

function planned({ path, size, oid, lfs }: ListFileEntry, what: string): PlannedFile {
  const bytes = lfs?.size ?? size;
  const hash =
    lfs !== undefined ? { algorithm: 'sha256' as const, hex: lfs.oid } : { algorithm: 'git' as const, hex: oid ?? '' };
  const lengths = { sha256: 64, git: 40 };
  if (
    !Number.isSafeInteger(bytes) ||
    bytes < 0 ||
    !/^[0-9a-f]+$/.test(hash.hex) ||
    hash.hex.length !== lengths[hash.algorithm]
  )
    throw new UserError(`the Hub gives no size and hash of ${path} in ${what}`, {
      code: 'network',
      remedy: 'Check HF_ENDPOINT.',
    });
  return { name: path, bytes, hash };
}
