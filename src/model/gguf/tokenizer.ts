/** The tokenizer in a GGUF file's metadata, as the content of tokenizer.json and tokenizer_config.json. */
import { UserError } from '../../errors';
import type { JsonObject } from '../files';
import { type PreTokenizer, preTokenizers } from './pre-tokenizers';
import { type Metadata, refuse, type Value } from './types';

/** Kinds of tokens (llama_token_type in llama.h). */
export const tokenKinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface TokenizerFiles {
  tokenizer: JsonObject;
  tokenizerConfig: JsonObject;
  /** Every token that ends a completion. */
  eosIds: number[];
}

/** Throws a UserError for tokenizers of other kinds than byte-level BPE and for ways of cutting texts that are not known. */
export function tokenizerFiles(metadata: Metadata, file: string): TokenizerFiles {
  const cut = checkKind(metadata, file);
  const tokens = strings(metadata, 'tokens', file);
  const kinds = (metadata.get('tokenizer.ggml.token_type') as Value) ?? tokens.map(() => tokenKinds.normal);
  if (!Array.isArray(kinds) || kinds.length !== tokens.length)
    return refuse(file, `has ${tokens.length} tokens, but not as many kinds of them`);
  const vocab: Record<string, number> = Object.create(null);
  tokens.forEach((token, id) => {
    if (kinds[id] === tokenKinds.unused) return;
    if (token in vocab) refuse(file, `has the token ${JSON.stringify(token)} twice`);
    vocab[token] = id;
  });
  const merges = strings(metadata, 'merges', file);
  checkMerges(merges, vocab, file);

  const idOf = (name: string): number | null => {
    const id = metadata.get(`tokenizer.ggml.${name}_token_id`);
    return typeof id === 'number' && id >= 0 && id < tokens.length ? id : null;
  };
  const tokenOf = (name: string): string | null => {
    const id = idOf(name);
    return id === null ? null : tokens[id];
  };
  const addBos = idOf('bos') !== null && (metadata.get('tokenizer.ggml.add_bos_token') ?? cut.addsBos) === true;
  const addEos = idOf('eos') !== null && metadata.get('tokenizer.ggml.add_eos_token') === true;
  if (addEos) refuse(file, 'ends each text with the end token, which a decoder cannot go on from');
  const template = metadata.get('tokenizer.chat_template');
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(tokens, kinds),
      normalizer: cut.normalizer ?? null,
      pre_tokenizer: cut.preTokenizer,
      post_processor: addBos
        ? beginWith(tokenOf('bos')!, idOf('bos')!)
        : { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: cut.ignoreMerges === true,
        vocab,
        merges,
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
    // A chat model may end its turn with another token than its text.
    eosIds: ['eos', 'eot', 'eom'].flatMap((name) => idOf(name) ?? []),
  };
}

function checkKind(metadata: Metadata, file: string): PreTokenizer {
  const model = metadata.get('tokenizer.ggml.model');
  const pre = metadata.get('tokenizer.ggml.pre');
  const fail = (message: string): never => {
    const known = preTokenizers.flatMap(({ names }) => names).join(', ');
    throw new UserError(message, {
      file,
      remedy: `Byte-level BPE is read (tokenizer.ggml.model "gpt2"), cut as ${known}. Take the Hugging Face folder of this model.`,
      code: 'checkpoint',
    });
  };
  if (model !== 'gpt2') return fail(`The tokenizer is of the kind ${JSON.stringify(model) ?? 'none'}`);
  const cut = preTokenizers.find(({ names }) => names.includes(pre as string));
  return cut ?? fail(`The tokenizer cuts texts as ${JSON.stringify(pre) ?? 'no name says'}`);
}

function strings(metadata: Metadata, name: string, file: string): string[] {
  const value = metadata.get(`tokenizer.ggml.${name}`);
  if (!Array.isArray(value) || value.length === 0 || typeof value[0] !== 'string')
    return refuse(file, `has no tokenizer.ggml.${name}`);
  return value as string[];
}

function checkMerges(merges: string[], vocab: Record<string, number>, file: string): void {
  for (const merge of merges) {
    const parts = merge.split(' ');
    if (parts.length !== 2 || !(parts[0] in vocab) || !(parts[1] in vocab) || !(parts.join('') in vocab))
      refuse(file, `has the merge ${JSON.stringify(merge)}, whose tokens it does not have`);
  }
}

/** Tokens that are found in a text before it is cut; control tokens are left out of decoded texts. */
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
