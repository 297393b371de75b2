/** Caches values read from files until the files change. */
import { type ErrorCode, UserError } from '../../errors';
import type { Damage } from '../../lines';
import { statOf } from '../../paths';

/** The value of a file with its first unreadable line, or the reason why it cannot be read at all. */
export type Read<T> =
  | { value: T; damage?: UserError; problem?: undefined }
  | { value?: undefined; damage?: undefined; problem: UserError };

/** Codes of errors that prevent the reading of a file, and not only of some lines. */
const ofWholeFile: readonly ErrorCode[] = ['trust', 'missing', 'disk'];

/**
 * Runs a reader, which may report damage. An error of the whole file, thrown or reported, becomes the reason shown in
 * place of the value.
 */
export function attempt<T>(file: string, read: (damage: Damage) => T): Read<T> {
  let damage: UserError | undefined;
  try {
    const value = read((problem) => {
      damage ??= problem;
    });
    return damage && ofWholeFile.includes(damage.code) ? { problem: damage } : { value, damage };
  } catch (error) {
    const problem = error instanceof UserError ? error : new UserError((error as Error).message, { file });
    return { problem };
  }
}

/** A stamp that differs between two states of a file, without reading it; '' if there is no file. */
export function stampOf(file: string): string {
  const stat = statOf(file);
  return stat ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : '';
}

/** A reader that rereads a file only when it has changed. It caches the `limit` files used last. */
export function cached<T>(read: (file: string, damage: Damage) => T, limit = 2000): (file: string) => Read<T> {
  const known = new Map<string, { stamp: string; result: Read<T> }>();
  return (file) => {
    const stamp = stampOf(file);
    const before = known.get(file);
    if (before?.stamp === stamp) return before.result;
    const result = attempt(file, (damage) => read(file, damage));
    known.delete(file);
    if (result.problem?.code === 'trust') return result; // trust can be granted without a change of the file
    known.set(file, { stamp, result });
    const [oldest] = known.keys();
    if (known.size > limit) known.delete(oldest);
    return result;
  };
}
