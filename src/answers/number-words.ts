/** Combines number words among the tokens of an answer. */
import Fraction from 'fraction.js';
import type { Token } from './lexer';
import { longestNumber, numberInWords, partWords } from './numbers';

/** "twenty-five" and "one hundred and five" become single numbers. */
export function joinNumberWords(tokens: Token[]): Token[] {
  const joined: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const spoken: string[] = [];
    const places: number[] = [];
    for (let j = i; j < tokens.length && spoken.length < longestNumber; j++) {
      if (tokens[j].kind === 'word') {
        spoken.push(tokens[j].text.toLowerCase());
        places.push(j);
      } else if (!(tokens[j].text === '-' && spoken.length > 0 && !tokens[j].spaced)) break;
    }
    const found = spoken.length > 0 ? numberInWords(spoken) : null;
    if (!found) joined.push(tokens[i]);
    else {
      const last = places[found.words - 1];
      const value = new Fraction(found.value);
      joined.push({ ...tokens[i], kind: 'number', end: tokens[last].end, value, decimals: 0 });
      // "three-fourths"
      const hyphen =
        tokens[last + 1]?.text === '-' && !tokens[last + 1].spaced && partWords.has(tokens[last + 2]?.text);
      i = hyphen ? last + 1 : last;
    }
  }
  return joined;
}
