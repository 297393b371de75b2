/** Converts a tokenizer.json to the metadata that llama.cpp reads. */
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../errors';
import { isJsonObject, type JsonObject } from '../files';
import { type PreTokenizer, preTokenizers } from './pre-tokenizers';
import { prependScheme, scoresOf, spelling } from './sentencepiece';
import { tokenKinds } from './tokenizer';
import type { MetadataField } from './write';

/**
 * Kind, tokens and merges or scores for a model with `vocabSize` rows. @throws UserError when llama.cpp does not
 * support the tokenizer
 */
export function vocabularyFields(json: JsonObject, vocabSize: number, file: string): MetadataField[] {
  const { model, added_tokens: added } = json;
  if (!isJsonObject(model) || model.type !== 'BPE' || !isJsonObject(model.vocab) || !Array.isArray(model.merges))
    return refuse('is not BPE', file);
  // Models round their vocabulary up; rows without a token get names as in convert_hf_to_gguf.py of llama.cpp.
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`);
  const kinds: number[] = tokens.map(() => tokenKinds.unused);
  for (const [token, id] of Object.entries(model.vocab) as [string, number][]) {
    tokens[id] = token;
    kinds[id] = model.byte_fallback === true && /^<0x[0-9A-F]{2}>$/.test(token) ? tokenKinds.byte : tokenKinds.normal;
  }
  for (const { id, content, special } of Array.isArray(added) ? added : []) {
    tokens[id] = content;
    kinds[id] = special ? tokenKinds.control : tokenKinds.userDefined;
  }
  const merges = model.merges.map((merge) => (Array.isArray(merge) ? merge.join(' ') : String(merge)));
  const of = (kind: string, pre: string, more: MetadataField): MetadataField[] => [
    ['tokenizer.ggml.model', 'string', kind],
    ['tokenizer.ggml.pre', 'string', pre],
    ['tokenizer.ggml.tokens', 'string', tokens],
    ['tokenizer.ggml.token_type', 'i32', kinds],
    more,
  ];
  const cut = preTokenizers.find((known) => sameCuts(known, json));
  if (cut)
    return [
      ...of('gpt2', cut.names[0], ['tokenizer.ggml.merges', 'string', merges]),
      ['tokenizer.ggml.add_space_prefix', 'bool', false],
    ];
  const prefix = [true, false].find((one) => sameSpelling(json, one));
  if (model.byte_fallback !== true || prefix === undefined) return refuse('uses a pre-tokenizer of its own', file);
  const normal = tokens.filter((_, id) => kinds[id] === tokenKinds.normal);
  const scores = scoresOf(normal, merges);
  if (!scores) return refuse('has merges that scores cannot express', file);
  const scoreOf = new Map(normal.map((token, i) => [token, scores[i]]));
  const unknown = typeof model.unk_token === 'string' ? tokens.indexOf(model.unk_token) : -1;
  if (unknown >= 0) kinds[unknown] = tokenKinds.unknown;
  return [
    ...of('llama', 'default', ['tokenizer.ggml.scores', 'f32', tokens.map((token) => scoreOf.get(token) ?? 0)]),
    ['tokenizer.ggml.add_space_prefix', 'bool', prefix],
    ...(unknown >= 0 ? [['tokenizer.ggml.unknown_token_id', 'u32', unknown] as MetadataField] : []),
  ];
}

/** Whether texts are normalized like SentencePiece's, by a normalizer or by Metaspace. */
function sameSpelling(json: JsonObject, prefix: boolean): boolean {
  const known = spelling(prefix);
  const scheme = prependScheme(json);
  const written =
    scheme === null
      ? json.pre_tokenizer == null && isDeepStrictEqual(json.normalizer, known.normalizer)
      : prefix === (scheme !== 'never');
  return written && isDeepStrictEqual(json.decoder, known.decoder);
}

/** Where llama.cpp tokenizes differently from tokenizer.json; null if it does not. */
export function cutsOtherwise(json: JsonObject): string | null {
  const scheme = prependScheme(json);
  if (scheme === null || scheme === 'never') return null;
  const behind = scheme === 'first' ? ', and after a special token,' : '';
  return (
    `llama.cpp adds a space before a text that begins with one${behind} where ` +
    'transformers adds none: the first token there may differ.'
  );
}

function refuse(what: string, file: string): never {
  throw new UserError(`The tokenizer ${what}, which llama.cpp does not support`, {
    file,
    remedy: 'Export it with --to hf: transformers and vLLM read tokenizer.json directly.',
    code: 'checkpoint',
  });
}

/** Whether two pre-tokenizers split texts alike; fields about offsets do not matter. */
function sameCuts(known: PreTokenizer, { pre_tokenizer: cutting, normalizer }: JsonObject): boolean {
  return (
    outline(known.preTokenizer).join('\n') === outline(cutting).join('\n') &&
    outline(known.normalizer ?? null).join('\n') === outline(normalizer).join('\n')
  );
}

function outline(value: unknown): string[] {
  if (!isJsonObject(value)) return [];
  if (value.type === 'Sequence') {
    const parts = value.pretokenizers ?? value.normalizers;
    return Array.isArray(parts) ? parts.flatMap(outline) : ['?'];
  }
  const { trim_offsets: _, ...relevant } = value;
  return [JSON.stringify(Object.entries(relevant).sort(([a], [b]) => (a < b ? -1 : 1)))];
}
