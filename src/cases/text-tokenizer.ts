/** Tokens of texts that were recorded without them: by the student's own tokenizer, or words where there is none. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { UserError } from '../errors';
import { parseJson, readSmallText } from '../lines';

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

/** Vocabularies of 250,000 tokens with their merges take some 35 MB. */
const maxBytes = 256 << 20;

/** The tokenizer of a student's folder. Errors: it is missing or broken. */
export function loadTextTokenizer(folder: string): TextTokenizer {
  const file = join(folder, 'tokenizer.json');
  const read = (path: string) =>
    parseJson(readSmallText(path, maxBytes), { file: path, code: 'checkpoint' }) as Record<string, unknown>;
  if (!existsSync(file)) throw new UserError('no tokenizer', { file, code: 'checkpoint' });
  const config = join(folder, 'tokenizer_config.json');
  // The library insists on fields that the format lets out.
  const absent = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, added_tokens: [] };
  const settings = existsSync(config) ? read(config) : {};
  const library = new Tokenizer({ ...absent, ...read(file) }, settings);
  const decode = (ids: number[]) =>
    ids.length === 0 ? '' : library.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  const end = endOf(settings, library);
  return {
    unit: 'tokens',
    decode: (ids) => pieces(ids, decode),
    ...(end !== undefined && { end }),
    tokenize: (text) => {
      const ids = library.encode(text, { add_special_tokens: false }).ids;
      if (ids.some((id) => id === undefined)) throw new UserError('it has no token for some character', { file });
      return { ids, texts: pieces(ids, decode) };
    },
  };
}

/** `eos_token` is a text, or an object with its content. */
function endOf({ eos_token: token }: Record<string, unknown>, library: Tokenizer): number | undefined {
  const text = typeof token === 'object' && token !== null ? (token as { content?: unknown }).content : token;
  return typeof text === 'string' ? library.token_to_id(text) : undefined;
}

/**
 * What each token adds to the text, decoded behind its neighbours, as decoders look at them; a character whose bytes
 * lie in several tokens is shown at the last of them.
 */
function pieces(ids: number[], decode: (ids: number[]) => string): string[] {
  const texts: string[] = [];
  let from = 0;
  let said = '';
  for (let i = 0; i < ids.length; i++) {
    const text = decode(ids.slice(from, i + 1));
    if (text.endsWith('\ufffd') && i + 1 < ids.length) {
      texts.push('');
      continue;
    }
    texts.push(text.slice(said.length));
    // The window begins anew at this token, whose own text is context for the next.
    from = i;
    said = decode(ids.slice(i, i + 1));
  }
  return texts;
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
