/**
 * Names of datasets on the Hugging Face Hub: "openai/gsm8k/main/train" is the split train of the subset main of
 * openai/gsm8k. Unambiguous longer forms are "hf://datasets/openai/gsm8k/main/train", as in the Hub's own libraries,
 * and the address of its page.
 */
import { isDatasetFile } from './dataset-files';
import { parseRepository, type RepositoryName, studentNameText } from './name';

export interface DatasetName extends RepositoryName {
  /** Subset, subset/split, split, or files of the repository by path or pattern; '' for the default. */
  part: string;
}

const prefix = /^(?:hf:\/\/datasets\/|hf:|https:\/\/huggingface\.co\/datasets\/)/;

/** Parses a name; null if the text is not one. A path such as `data/train.jsonl` needs a prefix. */
export function parseDatasetName(text: string): DatasetName | null {
  const name = text.replace(prefix, '');
  if (name === text && (isDatasetFile(text) || /[*?{[]/.test(text))) return null;
  // Revisions have no slash, except the Hub's own references.
  const found = /^([^/@]+\/[^/@]+(?:@(?:refs\/(?:convert|pr)\/[^/]+|[^/]+))?)(?:\/(.*))?$/.exec(name);
  const repository = found && parseRepository(found[1].replaceAll('%2F', '/'));
  const part = found?.[2] ?? '';
  return repository && (part === '' || isRelative(part)) ? { ...repository, part } : null;
}

/** A path that stays inside its folder, on any system. */
export const isRelative = (path: string) =>
  path.length < 1000 &&
  path.split('/').every((segment) => segment !== '' && !/^\.+$/.test(segment) && !/[\\:\p{Cc}]/u.test(segment));

export function datasetNameText({ part, ...repository }: DatasetName): string {
  return part === '' ? studentNameText(repository) : `${studentNameText(repository)}/${part}`;
}

/** The same dataset, one of its splits. */
export const splitOfDataset = (name: DatasetName, split: string): DatasetName => {
  return { ...name, part: name.part === '' ? split : `${name.part}/${split}` };
};
