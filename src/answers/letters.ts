/** Compares texts by characters: the last resort for text that cannot be parsed. */
import { lex } from './lexer';

/** Normalizes characters, and removes formatting and spaces. Braces stay if they contain more than one character. */
function signsOf(text: string): string {
  const tokens = lex(text, 'group');
  while (tokens.length > 0 && /^[.,;]$/.test(tokens.at(-1)!.text)) tokens.pop();
  let signs = '';
  for (let i = 0; i < tokens.length; i++) {
    const single = tokens[i].text === '{' && tokens[i + 2]?.text === '}';
    signs += `${single ? tokens[i + 1].text : tokens[i].text} `;
    if (single) i += 2;
  }
  return signs.replace(/\b[dtc]frac\b/g, 'frac').toLowerCase();
}

export const sameLetters = (a: string, b: string) => signsOf(a) === signsOf(b) && signsOf(a) !== '';
