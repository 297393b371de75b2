/** A Hugging Face tokenizer (tokenizer.json and tokenizer_config.json), through @huggingface/tokenizers. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import { Allowance, TookTooLong, withinTime } from '../bounded';
import { UserError } from '../errors';
import { type ChatTemplate, chatTemplateOf } from './chat-template';
import { isJsonObject, type JsonObject, readJsonObject, readText } from './files';
import { faithfulPreTokenizer } from './pre-tokenizers';

export interface Tokenizer {
  /** Token ids of a text. Adds no special tokens; those spelled out in the text are recognized. */
  encode(text: string): number[];
  /**
   * Like encode, with the tokens that the tokenizer puts before a text (Llama's beginning-of-text token; none for
   * Qwen).
   */
  encodePrompt(text: string): number[];
  /** The text of ids, without special tokens such as the end token. */
  decode(ids: readonly number[]): string;
  /**
   * The text of each token, including special ones, for display. A character whose bytes are spread over several tokens
   * is shown at its last one, the others get ''. Joined, they give the text with its special tokens.
   */
  tokenTexts(ids: readonly number[]): string[];
  /** The token that ends target completions. */
  eosId: number;
  /** All tokens that end a sampled completion; chat models name several. */
  eosIds: number[];
  /** The padding token, or else the end token. */
  padId: number;
  /** Largest id + 1. A model's vocab_size may be larger. */
  vocabSize: number;
  /** The same without tokens that were added to the vocabulary, such as a padding token. */
  trainedVocabSize: number;
  /** Whether an id is a control token, such as the end token, and not text. */
  isSpecial(id: number): boolean;
  /** The chat template; null if there is none. */
  chatTemplate: ChatTemplate | null;
  /** Deviations from transformers for the same files. */
  notes: string[];
}

/** Timeout of encoding, in milliseconds: some hundred times the usual duration. */
const leastMs = 2000;
const msPerCharacter = 0.02;
/** What all texts together may take beyond `msPerCharacter` and this for each. */
const allowedMs = 5000;
const msPerText = 2;

/** Vocabularies of 250,000 tokens with their merges take about 35 MB. */
const maxBytes = 256 << 20;

/**
 * The tokenizer in `folder`. End tokens are those of tokenizer_config.json, config.json and generation_config.json
 * together, and `furtherEosIds`. @throws UserError when the tokenizer is missing or damaged, or when there is no end
 * token
 */
export function loadTokenizer(folder: string, furtherEosIds: readonly number[] = []): Tokenizer {
  const file = join(folder, 'tokenizer.json');
  if (!existsSync(file)) refuseOtherForms(folder, file);
  const json = readJsonObject(file, maxBytes);
  // Older folders name their special tokens in a separate file; tokenizer_config.json takes precedence.
  const config = { ...optional(folder, 'special_tokens_map.json'), ...optional(folder, 'tokenizer_config.json') };
  // Since 4.52 transformers writes the template to a separate file, which takes precedence over the config's.
  const template = join(folder, 'chat_template.jinja');
  if (existsSync(template)) config.chat_template = readText(template);
  return makeTokenizer(json, config, [...modelEosIds(folder), ...furtherEosIds], file);
}

const optional = (folder: string, name: string): JsonObject =>
  existsSync(join(folder, name)) ? readJsonObject(join(folder, name)) : {};

/** @throws UserError with a conversion command when the tokenizer is in a form that only its own library reads */
function refuseOtherForms(folder: string, file: string): void {
  const other = [['tokenizer.model'], ['vocab.json', 'merges.txt'], ['tekken.json'], ['spiece.model']].find((names) =>
    names.every((name) => existsSync(join(folder, name))),
  );
  if (!other) return;
  const place = JSON.stringify(folder);
  throw new UserError(`The folder has its tokenizer as ${other.join(' and ')}, not as tokenizer.json`, {
    file,
    remedy:
      "Convert it with Python (pip install transformers sentencepiece): python -c 'from transformers " +
      `import AutoTokenizer as T; T.from_pretrained(${place}).save_pretrained(${place})'`,
    code: 'checkpoint',
  });
}

/** The end tokens in a model's own files. */
export function modelEosIds(folder: string): number[] {
  return ['config.json', 'generation_config.json']
    .flatMap((name) => (optional(folder, name).eos_token_id ?? []) as unknown)
    .filter(isTokenId);
}

const isTokenId = (id: unknown): id is number => Number.isSafeInteger(id) && (id as number) >= 0;

/** The library's tokenizer, and the tokens that it puts before a prompt. @throws UserError when it cannot be used */
function loadLibrary(json: JsonObject, config: JsonObject, file: string): { library: HfTokenizer; prefix: number[] } {
  try {
    // The library requires fields that the format allows to be absent.
    const absent = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, added_tokens: [] };
    const complete: JsonObject = { ...absent, ...json };
    const library = new HfTokenizer(
      { ...complete, pre_tokenizer: faithfulPreTokenizer(complete.pre_tokenizer) } as typeof absent,
      config,
    );
    const prefix = withinTime(leastMs, () => library.encode('').ids);
    if (withinTime(leastMs, () => library.encode('1 + 1').ids).some((id) => id === undefined))
      throw new Error('it has no token for some characters');
    return { library, prefix };
  } catch (error) {
    throw new UserError(`The tokenizer cannot be used: ${(error as Error).message}`, {
      file,
      remedy: 'Copy tokenizer.json and tokenizer_config.json from the model again.',
      code: 'checkpoint',
      cause: error,
    });
  }
}

/**
 * Runs `work` on a text of this many characters with a timeout that depends on the length: the tokenizer's regular
 * expressions are untrusted and may backtrack forever.
 */
function bounded<T>(length: number, { file, allowance }: { file: string; allowance: Allowance }, work: () => T): T {
  try {
    const usual = length * msPerCharacter;
    return allowance.spend(msPerText + usual, () => withinTime(leastMs + usual, work));
  } catch (error) {
    // A RangeError: a text beyond the longest string, or calls beyond the stack.
    if (!(error instanceof TookTooLong || error instanceof RangeError)) throw error;
    const reason = error instanceof RangeError ? `it fails: ${error.message}` : error.message;
    throw new UserError(`The tokenizer cannot be used: for a text of ${length} characters ${reason}`, {
      file,
      remedy: 'Check the regular expressions ("Regex") in it, or copy it from the model again.',
      code: 'checkpoint',
      cause: error,
    });
  }
}

/**
 * A tokenizer from the content of its two files. `furtherEosIds` are end tokens from the model's files; `file` is used
 * in messages.
 */
export function makeTokenizer(
  json: JsonObject,
  config: JsonObject,
  furtherEosIds: readonly number[] = [],
  file = 'tokenizer.json',
): Tokenizer {
  checkIds(json, file);
  const { library, prefix } = loadLibrary(json, config, file);
  const added = library.get_added_tokens_decoder();
  const ids = [...library.get_vocab().values()];
  const trained = ids.filter((id) => !added.has(id));
  const sizeOf = (some: number[]) => some.reduce((size, id) => Math.max(size, id + 1), 0);
  const idOf = (field: string): number | null => {
    const token = isJsonObject(config[field]) ? config[field].content : config[field];
    return typeof token === 'string' ? (library.token_to_id(token) ?? null) : null;
  };
  const named = idOf('eos_token');
  const eosIds = [...new Set(named === null ? furtherEosIds : [named, ...furtherEosIds])];
  if (eosIds.length === 0)
    throw new UserError('No end token is defined', {
      file,
      remedy: file.endsWith('.gguf')
        ? `Write it into a copy (pip install gguf): gguf-new-metadata ${JSON.stringify(file)} new.gguf --special-token eos TOKEN`
        : 'Add "eos_token" to tokenizer_config.json, or eos_token_id to config.json.',
      code: 'checkpoint',
    });

  const limits = { file, allowance: new Allowance(allowedMs) };
  const mayRunAway = decoderMayRunAway(json.decoder);
  // Ids without a token (models round their vocabulary up) decode to nothing.
  const decode = (ids: readonly number[], dropSpecial: boolean): string => {
    const known = ids.filter((id) => library.id_to_token(id) !== undefined);
    if (known.length === 0) return '';
    const options = { skip_special_tokens: dropSpecial, clean_up_tokenization_spaces: false };
    const work = () => library.decode(known, options);
    return mayRunAway ? bounded(known.length, limits, work) : work();
  };
  const encode = (text: string) => {
    const { ids } = bounded(text.length, limits, () => library.encode(text, { add_special_tokens: false }));
    if (ids.some((id) => id === undefined))
      throw new UserError(`The tokenizer has no token for some character of ${JSON.stringify(text.slice(0, 60))}`, {
        file,
        remedy: 'It has no unknown token: use texts within its alphabet, or another tokenizer.',
        code: 'dataset',
      });
    return ids;
  };
  return {
    encode,
    encodePrompt: (text) => [...prefix, ...encode(text)],
    decode: (ids) => decode(ids, true),
    tokenTexts: (ids) => tokenTexts(ids, (part) => decode(part, false)),
    eosId: eosIds[0],
    eosIds,
    padId: idOf('pad_token') ?? eosIds[0],
    vocabSize: sizeOf(ids),
    trainedVocabSize: sizeOf(trained),
    isSpecial: (id) => library.id_to_token(id) !== undefined && decode([id], true) === '' && decode([id], false) !== '',
    chatTemplate: chatTemplateOf(config, file),
    notes: singleWordNotes(json),
  };
}

/** Published decoders have up to five steps. */
const mostSteps = 16;

/**
 * Whether decoding needs a limit, which takes longer than decoding a token: because of a pattern, or of many or growing
 * replacements.
 */
function decoderMayRunAway(decoder: unknown): boolean {
  if (!isJsonObject(decoder)) return false;
  const steps: unknown[] = Array.isArray(decoder.decoders) ? decoder.decoders : [decoder];
  const isHarmless = (step: unknown) => {
    if (!isJsonObject(step) || Array.isArray(step.decoders)) return false;
    if (step.type !== 'Replace') return true;
    const replaced = isJsonObject(step.pattern) ? step.pattern.String : undefined;
    const { content } = step;
    return typeof replaced === 'string' && typeof content === 'string' && content.length <= replaced.length;
  };
  return steps.length > mostSteps || !steps.every(isHarmless);
}

/**
 * Adapts the tokenizer to a model of `vocabSize` tokens. Fine-tunes often add a padding token that the model has no row
 * for and never sees; a text with such a token is refused. @throws UserError when more than added tokens is outside of
 * the model's vocabulary, or every end token
 */
export function tokenizerWithin(tokenizer: Tokenizer, vocabSize: number, file: string): Tokenizer {
  const eosIds = tokenizer.eosIds.filter((id) => id < vocabSize);
  const refuse = (message: string): never => {
    throw new UserError(message, {
      file,
      remedy: 'Tokenizer and model belong to different students: copy both from the same one.',
      code: 'checkpoint',
    });
  };
  if (tokenizer.trainedVocabSize > vocabSize)
    refuse(`The tokenizer has ${tokenizer.vocabSize} tokens, the model only ${vocabSize}`);
  if (eosIds.length === 0) refuse(`The end token ${tokenizer.eosId} is not among the ${vocabSize} tokens of the model`);
  const ending = { ...tokenizer, eosIds, eosId: eosIds[0] };
  if (tokenizer.vocabSize <= vocabSize) return ending;
  const encode = (text: string) => {
    const ids = tokenizer.encode(text);
    const beyond = ids.find((id) => id >= vocabSize);
    if (beyond === undefined) return ids;
    const [token] = tokenizer.tokenTexts([beyond]);
    throw new UserError(`The text has the token ${JSON.stringify(token)}, which the model has no embedding for`, {
      file,
      remedy: 'Remove it from the text, or use a model whose embedding was resized for it.',
      code: 'dataset',
    });
  };
  const prefix = tokenizer.encodePrompt('');
  return {
    ...ending,
    encode,
    encodePrompt: (text) => [...prefix, ...encode(text)],
    padId: tokenizer.padId < vocabSize ? tokenizer.padId : eosIds[0],
    vocabSize,
  };
}

/** Added tokens that match whole words only: here they are also matched within words. */
function singleWordNotes({ added_tokens: added }: JsonObject): string[] {
  const tokens = Array.isArray(added) ? added.filter(isJsonObject).filter((token) => token.single_word === true) : [];
  if (tokens.length === 0) return [];
  const named = tokens.slice(0, 3).map(({ content }) => JSON.stringify(content));
  return [
    'The tokenizer has added tokens that match whole words only (single_word: ' +
      `${named.join(', ')}). Here they are also matched within words, unlike in transformers.`,
  ];
}

/** No vocabulary is larger; a larger id would create tables of that size. */
const mostTokens = 1 << 24;

/**
 * @throws UserError when a token's id is invalid or taken: the library does not check it, and drops or mixes up
 * characters, or hangs
 */
function checkIds(json: JsonObject, file: string): void {
  const { vocab, unk_id: unknown = null } = isJsonObject(json.model) ? json.model : {};
  const added = Array.isArray(json.added_tokens) ? json.added_tokens.filter(isJsonObject) : [];
  // Unigram's vocabulary is a list: ids are indices.
  const trained = isJsonObject(vocab) ? Object.entries(vocab) : [];
  const refuse = (message: string, remedy: string): never => {
    throw new UserError(message, {
      file,
      remedy: `${remedy}. Copy tokenizer.json from the model again.`,
      code: 'checkpoint',
    });
  };
  for (const [token, id] of [...trained, ...added.map(({ content, id }) => [content, id])])
    if (!isTokenId(id) || id >= mostTokens)
      refuse(
        `Token ${JSON.stringify(token)} has the id ${JSON.stringify(id)}`,
        `Ids are whole numbers from 0 up to ${mostTokens}`,
      );
  if (Array.isArray(vocab) && unknown !== null && !(isTokenId(unknown) && unknown < vocab.length))
    refuse(`The unknown token has the id ${JSON.stringify(unknown)}`, `There are ${vocab.length} tokens`);
  const tokens = new Map<unknown, string>();
  for (const [token, id] of trained) {
    const other = tokens.get(id);
    if (other !== undefined)
      refuse(
        `The tokens ${JSON.stringify(other)} and ${JSON.stringify(token)} have the same id ${id}`,
        'Ids are unique',
      );
    tokens.set(id, token);
  }
}

/** Maximum bytes of a character in UTF-8: this many tokens without a complete one are not the beginning of one. */
const longestCharacter = 4;

/**
 * The text that each token adds. Decoders depend on context (leading spaces, characters of several bytes), so a token
 * is decoded together with preceding ones, as in text-generation-inference's streaming.
 */
function tokenTexts(ids: readonly number[], decode: (ids: readonly number[]) => string): string[] {
  const texts: string[] = [];
  let context = 0; // start of the window
  let shown = 0; // tokens whose text has been returned
  ids.forEach((_, i) => {
    const before = decode(ids.slice(context, shown));
    const text = decode(ids.slice(context, i + 1));
    const cutCharacter = text.endsWith('\ufffd') && i + 1 < ids.length && i + 1 - shown < longestCharacter;
    texts.push(cutCharacter ? '' : text.slice(before.length));
    if (cutCharacter) return;
    context = shown;
    shown = i + 1;
  });
  return texts;
}
