/** Names of models on the Hugging Face Hub in experiments: "Qwen/Qwen2.5-3B", optionally with "@revision" and "hf:". */

export interface RepositoryName {
  /** `owner/name`. */
  repository: string;
  /** Branch, tag or commit. */
  revision: string;
}

export type StudentName = RepositoryName;

/** A component of a name, by the Hub's rules (huggingface_hub, validate_repo_id). */
const part = /^[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?$/;
const revisionText = /^[A-Za-z0-9_][\w./-]{0,127}$/;

/** Parses a name; null if the text is not one. "hf:" excludes the interpretation as a folder. */
export function parseStudentName(text: string): StudentName | null {
  return parseRepository(text.replace(/^hf:/, ''));
}

/** `owner/name` or `owner/name@revision`; null for anything else. */
export function parseRepository(text: string): RepositoryName | null {
  const [repository, revision = 'main', ...rest] = text.split('@');
  const parts = repository.split('/');
  const safe = (value: string) => !value.includes('..') && !value.includes('--') && !value.endsWith('.git');
  if (rest.length > 0 || parts.length !== 2 || !parts.every((one) => part.test(one) && safe(one))) return null;
  if (!revisionText.test(revision) || revision.includes('..') || revision.includes('//') || revision.endsWith('/'))
    return null;
  return { repository, revision };
}

export function studentNameText({ repository, revision }: RepositoryName): string {
  return revision === 'main' ? repository : `${repository}@${revision}`;
}
