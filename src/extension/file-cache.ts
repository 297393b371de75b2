/** What was read from files, kept until they change. */
import { statSync } from 'node:fs';
import { UserError } from '../errors';
import type { Damage } from '../lines';

/** What a file says, with the first of its lines that cannot be read, or why it cannot be read at all. */
export type Read<T> =
  | { value: T; damage?: UserError; problem?: undefined }
  | { value?: undefined; damage?: undefined; problem: UserError };

/**
 * Runs a reader; whatever it throws becomes the reason that is shown in place of the value. It may tell of lines that
 * it passes over.
 */
export function attempt<T>(file: string, read: (damage: Damage) => T): Read<T> {
  let damage: UserError | undefined;
  try {
    const value = read((problem) => {
      damage ??= problem;
    });
    return { value, damage };
  } catch (error) {
    const problem = error instanceof UserError ? error : new UserError((error as Error).message, { file });
    return { problem };
  }
}

/** Tells two states of a file apart without reading it; '' if there is none. */
export function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : '';
}

/**
 * A reader that reads a file again only when it has changed. Of the files it was asked for, it remembers the last
 * `limit`.
 */
export function cached<T>(read: (file: string, damage: Damage) => T, limit = 2000): (file: string) => Read<T> {
  const known = new Map<string, { stamp: string; result: Read<T> }>();
  return (file) => {
    const stamp = stampOf(file);
    const before = known.get(file);
    if (before?.stamp === stamp) return before.result;
    const result = attempt(file, (damage) => read(file, damage));
    known.delete(file);
    known.set(file, { stamp, result });
    const [oldest] = known.keys();
    if (known.size > limit) known.delete(oldest);
    return result;
  };
}
