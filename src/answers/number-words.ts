/** Combines number words among the tokens of an answer. */
import Fraction from 'fraction.js';
import type { Token } from './lexer';
import { longestNumber, numberInWords, partWords } from './numbers';

const places =
  'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth ' +
  'fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth';
const tens = 'twent thirt fort fift sixt sevent eight ninet';
const place = new RegExp(
  `^(?:the )?(?:(${tens.replaceAll(' ', '|')})(?:ieth|y[- ](?=\\p{L})))?(${places.replaceAll(' ', '|')})?(?: place)?$`,
  'iu',
);
const longestPlace = 30;

/** The number of a place: "fourth", "the twenty-first"; null for other texts. */
export function placeIn(text: string): number | null {
  const found = text.length > longestPlace ? null : place.exec(text.trim());
  if (!found || (!found[1] && !found[2])) return null;
  const [, ten, one] = found.map((word) => word?.toLowerCase());
  return 10 * (ten ? tens.split(' ').indexOf(ten) + 2 : 0) + (one ? places.split(' ').indexOf(one) + 1 : 0);
}

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
