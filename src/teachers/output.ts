import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../errors';
import { hashFile } from '../lines';
import { replaceText } from '../writing';
import type { GenerationOutcome } from './generate';

/** The journal of a file of chains: a folder beside it. */
export const journalOf = (out: string) => `${out.replace(/(\.chains)?\.jsonl$/, '')}.teacher`;

/** Refuses an output that would overwrite anything but earlier chains of ours. */
export function checkOutput(questions: string, out: string): void {
  const refuse = (message: string, remedy: string) => new UserError(message, { file: out, code: 'usage', remedy });
  if (!out.endsWith('.jsonl')) throw refuse('the chains are JSON lines', 'Name the file x.chains.jsonl.');
  if (resolve(questions) === resolve(out)) throw refuse('this is the file of the questions', 'Name another file.');
  if (existsSync(out) && !existsSync(journalOf(out)))
    throw refuse('the file exists already and was not written by a teacher', 'Name another file, or remove it.');
  if (existsSync(out) && isChanged(out, journalOf(out)))
    throw refuse(
      'the file was changed since its chains were written',
      'Rename it to keep the changes, or remove it: the replies are kept, and their chains written again.',
    );
}

const noteFile = (journal: string) => join(journal, 'output.json');

/** Records the present and the previous state of the output, as a crash may leave either. */
export function noteOutput(journal: string, files: readonly string[]): void {
  const hashes = files.filter((file) => existsSync(file)).map(hashFile);
  replaceText(journal, noteFile(journal), `${JSON.stringify({ sha256: hashes })}\n`);
}

/** Whether the output was edited. Older journals do not record it. */
function isChanged(out: string, journal: string): boolean {
  if (!existsSync(noteFile(journal))) return false;
  return !readFileSync(noteFile(journal), 'utf8').includes(hashFile(out));
}

/** Whether wanted replies are missing: stopped, budget used up, or requests without reply. */
export const endedEarly = ({ ended, failures }: GenerationOutcome): boolean =>
  ended !== undefined || failures.length > 0;

/** Why it ended before everything was requested, as an error for the user; undefined unless the teacher failed. */
export function faultOfOutcome({ ended }: GenerationOutcome): UserError | undefined {
  if (!(ended instanceof Error)) return undefined;
  const remedy =
    ended.details.remedy ?? 'Repeat it later: replies received are kept, and only missing ones are requested.';
  return new UserError(ended.message, { code: 'teacher', remedy, cause: ended });
}
