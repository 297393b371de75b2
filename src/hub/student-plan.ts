/** The files of a Hub model that a student needs. */
import { UserError } from '../errors';
import { type StudentName, studentNameText } from './name';
import { type DownloadPlan, lookUpRepository, planned, type RepositoryListing } from './plan';
import type { Hub } from './request';

const studentFiles = [
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

/**
 * Asks the Hub about a student. @throws UserError when the model does not exist, access is denied, or it is not a
 * student
 */
export async function planStudent(hub: Hub, name: StudentName): Promise<DownloadPlan> {
  const what = studentNameText(name);
  const { commit, files: listed } = await lookUpRepository(hub, 'model', name, what);
  const files = choose(listed, what).map((path) => planned(listed.get(path)!, path, what));
  return {
    kind: 'model',
    name,
    what,
    commit,
    folder: '',
    files,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function choose(files: RepositoryListing['files'], what: string): string[] {
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
        ? 'It has GGUF files: download one of them and give its path.'
        : 'Convert them with transformers (save_pretrained) and give the folder.',
    );
  return [...studentFiles.filter((name) => files.has(name)), ...weights];
}
