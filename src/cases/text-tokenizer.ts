/** Tokens of texts that were recorded without them: by the student's own tokenizer, or words where there is none. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadStudentTokenizer } from '../student-files/folder';
import { loadTokenizer } from '../student-files/tokenizer';

export interface TokenizedText {
  ids: number[];
  /** Joined, the text. */
  texts: string[];
}

export interface TextTokenizer {
  unit: 'tokens' | 'words';
  tokenize(text: string): TokenizedText;
  /** What each token adds to the text; a tokenizer of words has no such thing. */
  decode?(ids: number[]): string[];
  /** The id of the token that ends a text, where its settings name it. */
  end?: number;
}

/** The tokenizer of a student's folder. Errors: it is missing or broken. */
export function loadTextTokenizer(folder: string): TextTokenizer {
  // What an adapter's folder has of its own does without its base, which may not be on this machine.
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

/** Words, numbers digit group by digit group, single signs and white space: each distinct one has its number. */
export function wordTokenizer(): TextTokenizer {
  const numbers = new Map<string, number>();
  return {
    unit: 'words',
    tokenize: (text) => {
      const texts = text.match(/ ?(?:\p{L}+(?:['’]\p{L}+)*|\d+)|\n+|[^\S\n]+|\\[$%]|[^\p{L}\d\s]/gu) ?? [];
      const ids = texts.map((word) => {
        // A word is the same with a space before it and without, a dollar with LaTeX's stroke and without.
        const key = word.length > 1 ? word.replace(/^[ \\]/, '') : word;
        const known = numbers.get(key) ?? numbers.size;
        numbers.set(key, known);
        return known;
      });
      return { ids, texts };
    },
  };
}
