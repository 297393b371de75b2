/** Converts the tokenizer in a GGUF file's metadata to the content of tokenizer.json and tokenizer_config.json. */
import { UserError } from '../../errors';
import type { JsonObject } from '../files';
import { preTokenizers } from './pre-tokenizers';
import { mergesOf, spelling } from './sentencepiece';
import { type Metadata, type MetadataValue, refuse } from './types';

/** Kinds of tokens (llama_token_type in llama.h). */
export const tokenKinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface TokenizerFiles {
  tokenizer: JsonObject;
  tokenizerConfig: JsonObject;
  /** All tokens that end a completion. */
  eosIds: number[];
}

/** Differences between the kinds of tokenizers: fields of tokenizer.json, and of its model. */
interface TokenizerKind {
  normalizer: JsonObject | null;
  pre_tokenizer: JsonObject | null;
  decoder: JsonObject;
  model: { merges: string[]; fuse_unk: boolean; byte_fallback: boolean; ignore_merges: boolean };
  /** Default for whether a text begins with the beginning-of-text token. */
  addsBos: boolean;
}

/** @throws UserError for tokenizers other than byte-level BPE and SentencePiece's, and for unknown pre-tokenizers */
export function tokenizerFiles(metadata: Metadata, file: string): TokenizerFiles {
  const tokens = list<string>(metadata, 'tokens', 'string', file);
  const kinds = (metadata.get('tokenizer.ggml.token_type') as MetadataValue) ?? tokens.map(() => tokenKinds.normal);
  if (!Array.isArray(kinds) || kinds.length !== tokens.length)
    return refuse(file, `has ${tokens.length} tokens, but not as many kinds of them`);
  const vocab: Record<string, number> = Object.create(null);
  tokens.forEach((token, id) => {
    if (kinds[id] === tokenKinds.unused) return;
    if (token in vocab) refuse(file, `has the token ${JSON.stringify(token)} twice`);
    vocab[token] = id;
  });
  const { addsBos, model, ...parts } = kindOf(metadata, vocab, kinds as number[], file);

  const idOf = (name: string): number | null => {
    const id = metadata.get(`tokenizer.ggml.${name}_token_id`);
    return typeof id === 'number' && id >= 0 && id < tokens.length ? id : null;
  };
  const tokenOf = (name: string): string | null => {
    const id = idOf(name);
    return id === null ? null : tokens[id];
  };
  const addBos = idOf('bos') !== null && (metadata.get('tokenizer.ggml.add_bos_token') ?? addsBos) === true;
  const addEos = idOf('eos') !== null && metadata.get('tokenizer.ggml.add_eos_token') === true;
  if (addEos) refuse(file, 'appends the end token to each text, after which a decoder cannot continue');
  const template = metadata.get('tokenizer.chat_template');
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(tokens, kinds),
      ...parts,
      post_processor: addBos ? beginWith(tokenOf('bos')!, idOf('bos')!) : null,
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: model.byte_fallback ? tokenOf('unknown') : null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        ...model,
        vocab,
      },
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      add_prefix_space: false,
      clean_up_tokenization_spaces: false,
      bos_token: tokenOf('bos'),
      eos_token: tokenOf('eos'),
      pad_token: tokenOf('padding'),
      unk_token: tokenOf('unknown'),
      ...(typeof template === 'string' && { chat_template: template }),
    },
    // A chat model may end its turn with a token other than its end-of-text token.
    eosIds: ['eos', 'eot', 'eom'].flatMap((name) => idOf(name) ?? []),
  };
}

function kindOf(
  metadata: Metadata,
  vocab: Record<string, number>,
  kinds: readonly number[],
  file: string,
): TokenizerKind {
  const model = metadata.get('tokenizer.ggml.model');
  if (model === 'gpt2') return byteLevel(metadata, vocab, file);
  if (model === 'llama') return sentencePiece(metadata, vocab, kinds, file);
  return unknown(`is of the kind ${JSON.stringify(model) ?? 'none'}`, file);
}

function unknown(what: string, file: string): never {
  const known = preTokenizers.flatMap(({ names }) => names).join(', ');
  throw new UserError(`The tokenizer ${what}`, {
    file,
    remedy:
      `Supported are byte-level BPE (tokenizer.ggml.model "gpt2") with the pre-tokenizers ${known}, and ` +
      'SentencePiece\'s BPE ("llama"). Use the Hugging Face folder of this model.',
    code: 'checkpoint',
  });
}

function byteLevel(metadata: Metadata, vocab: Record<string, number>, file: string): TokenizerKind {
  const pre = metadata.get('tokenizer.ggml.pre');
  const cut = preTokenizers.find(({ names }) => names.includes(pre as string));
  if (!cut) return unknown(`uses the pre-tokenizer ${JSON.stringify(pre) ?? '(unnamed)'}`, file);
  const merges = list<string>(metadata, 'merges', 'string', file);
  checkMerges(merges, vocab, file);
  return {
    normalizer: cut.normalizer ?? null,
    pre_tokenizer: cut.preTokenizer,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { merges, fuse_unk: false, byte_fallback: false, ignore_merges: cut.ignoreMerges === true },
    addsBos: cut.addsBos === true,
  };
}

function sentencePiece(
  metadata: Metadata,
  vocab: Record<string, number>,
  kinds: readonly number[],
  file: string,
): TokenizerKind {
  const scores = list<number>(metadata, 'scores', 'number', file);
  if (scores.length !== kinds.length) return refuse(file, `has ${kinds.length} tokens, but not as many scores`);
  const made = new Map<string, number>();
  for (const [token, id] of Object.entries(vocab)) if (kinds[id] === tokenKinds.normal) made.set(token, scores[id]);
  return {
    ...spelling(metadata.get('tokenizer.ggml.add_space_prefix') !== false),
    pre_tokenizer: null,
    model: {
      merges: mergesOf(made, (token) => made.has(token)),
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
    },
    addsBos: true,
  };
}

/** An array of the tokenizer's metadata. */
function list<T>(metadata: Metadata, name: string, type: 'string' | 'number', file: string): T[] {
  const value = metadata.get(`tokenizer.ggml.${name}`);
  if (!Array.isArray(value) || value.length === 0 || typeof value[0] !== type)
    return refuse(file, `has no tokenizer.ggml.${name}`);
  return value as T[];
}

function checkMerges(merges: string[], vocab: Record<string, number>, file: string): void {
  for (const merge of merges) {
    const parts = merge.split(' ');
    if (parts.length !== 2 || !(parts[0] in vocab) || !(parts[1] in vocab) || !(parts.join('') in vocab))
      refuse(file, `has the merge ${JSON.stringify(merge)}, whose tokens it does not have`);
  }
}

/** Tokens that are matched in a text before pre-tokenization; control tokens are omitted from decoded texts. */
function addedTokens(tokens: string[], kinds: readonly unknown[]): JsonObject[] {
  return tokens.flatMap((content, id) => {
    const special = kinds[id] === tokenKinds.control || kinds[id] === tokenKinds.unknown;
    if (!special && kinds[id] !== tokenKinds.userDefined) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

function beginWith(token: string, id: number): JsonObject {
  const [begin, a, b] = [{ SpecialToken: { id: token, type_id: 0 } }, part('A', 0), part('B', 1)];
  return {
    type: 'TemplateProcessing',
    single: [begin, a],
    pair: [begin, a, { SpecialToken: { id: token, type_id: 1 } }, b],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

const part = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
