/** Tokens of texts that were recorded without them: by the student's own tokenizer, or words if there is none. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadStudentTokenizer } from '../student-files/folder';
import { loadTokenizer } from '../student-files/tokenizer';

export interface TokenizedText {
  ids: number[];
  /** Joined, they are the text. */
  texts: string[];
}

export interface TextTokenizer {
  unit: 'tokens' | 'words';
  tokenize(text: string): TokenizedText;
  /** The text that each token adds; undefined for a tokenizer of words. */
  decode?(ids: number[]): string[];
  /** The id of the end token, if the settings name it. */
  end?: number;
}

/** The tokenizer of a student's folder. @throws UserError when it is missing or damaged */
export function loadTextTokenizer(folder: string): TextTokenizer {
  // The files in an adapter's folder suffice; its base may not be on this machine.
  const own = existsSync(join(folder, 'tokenizer.json'));
  const { encode, tokenTexts, eosId } = own ? loadTokenizer(folder) : loadStudentTokenizer(folder);
  return {
    unit: 'tokens',
    decode: tokenTexts,
    end: eosId,
    tokenize: (text) => {
      const ids = encode(text);
      return { ids, texts: tokenTexts(ids) };
    },
  };
}

/** Words, numbers by digit group, single characters and white space: each distinct one gets a number. */
export function wordTokenizer(): TextTokenizer {
  const numbers = new Map<string, number>();
  return {
    unit: 'words',
    tokenize: (text) => {
      const texts = text.match(/ ?(?:\p{L}+(?:['’]\p{L}+)*|\d+)|\n+|[^\S\n]+|\\[$%]|[^\p{L}\d\s]/gu) ?? [];
      const ids = texts.map((word) => {
        // Normalizes a word: with or without a preceding space, a dollar sign with or without LaTeX's backslash.
        const key = word.length > 1 ? word.replace(/^[ \\]/, '') : word;
        const known = numbers.get(key) ?? numbers.size;
        numbers.set(key, known);
        return known;
      });
      return { ids, texts };
    },
  };
}
