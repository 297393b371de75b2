import { expect, it } from 'vitest';
import { splitCommand } from './command-line';

it.each([
  ['python -m distillery_engine', ['python', '-m', 'distillery_engine']],
  ['  ssh   box "cd /data && exec python"  ', ['ssh', 'box', 'cd /data && exec python']],
  [`'/opt/my python/bin/python' -c 'a "b"'`, ['/opt/my python/bin/python', '-c', 'a "b"']],
  ['"C:\\Program Files\\py.exe" C:\\a\\b', ['C:\\Program Files\\py.exe', 'C:\\a\\b']],
  ['a\\ b "say \\"x\\"" \'\' $HOME `id` ;', ['a b', 'say "x"', '', '$HOME', '`id`', ';']],
])('%s', (text, words) => {
  expect(splitCommand(text, 'a test')).toEqual(words);
});

it.each([
  ['python "unclosed', 'a quote is not closed'],
  ["python 'unclosed", 'a quote is not closed'],
  [`"${'\\'.repeat(5000)}`, 'a quote is not closed'],
  ['   ', 'the command of the engine is empty'],
  ['"" x', 'the command of the engine is empty'],
])('refuses %.30s', (text, message) => {
  expect(() => splitCommand(text, 'a test')).toThrow(message);
});
