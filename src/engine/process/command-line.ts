/** Splits a command line into a program and its arguments. It is not run by a shell: nothing is expanded. */
import { UserError } from '../../errors';

/**
 * Words are separated by spaces; quotes group, and a backslash escapes a quote, a space or a backslash. @throws
 * UserError
 */
export function splitCommand(text: string, origin: string): string[] {
  const words: string[] = [];
  const word = /(?:"((?:\\["\\]|[^"\\]|\\(?!["\\]))*)"|'([^']*)'|\\([\s"'\\])|([^\s"']))/y;
  let current: string | null = null;
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text[at])) {
      if (current !== null) words.push(current);
      current = null;
      at++;
      continue;
    }
    word.lastIndex = at;
    const match = word.exec(text);
    if (!match)
      throw new UserError(`a quote is not closed in ${JSON.stringify(text)}`, {
        code: 'config',
        remedy: `Close it in ${origin}.`,
      });
    const [whole, double, single, escaped, plain] = match;
    current = (current ?? '') + (double?.replace(/\\(["\\])/g, '$1') ?? single ?? escaped ?? plain);
    at += whole.length;
  }
  if (current !== null) words.push(current);
  if (words.length === 0 || words[0] === '')
    throw new UserError('the command of the engine is empty', {
      code: 'config',
      remedy: `Name a program in ${origin}.`,
    });
  return words;
}
