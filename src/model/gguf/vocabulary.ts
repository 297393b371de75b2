/** A tokenizer.json as the metadata that llama.cpp reads. */
import { UserError } from '../../errors';
import { isJsonObject, type JsonObject } from '../files';
import { type PreTokenizer, preTokenizers } from './pre-tokenizers';
import { tokenKinds } from './tokenizer';
import type { Field } from './write';

/** Kind, tokens and merges for a model of `vocabSize` rows. Throws a UserError where llama.cpp has no name for the tokenizer. */
export function vocabularyFields(json: JsonObject, vocabSize: number, file: string): Field[] {
  const { model, added_tokens: added } = json;
  if (!isJsonObject(model) || model.type !== 'BPE' || !isJsonObject(model.vocab) || !Array.isArray(model.merges))
    return refuse('is not BPE', file);
  const cut = preTokenizers.find((known) => sameCuts(known, json));
  if (!cut) return refuse('cuts texts in a way of its own', file);
  // Models round their vocabulary up; rows without a token are named as convert_hf_to_gguf.py in llama.cpp does.
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`);
  const kinds: number[] = tokens.map(() => tokenKinds.unused);
  for (const [token, id] of Object.entries(model.vocab) as [string, number][]) {
    tokens[id] = token;
    kinds[id] = tokenKinds.normal;
  }
  for (const { id, content, special } of Array.isArray(added) ? added : []) {
    tokens[id] = content;
    kinds[id] = special ? tokenKinds.control : tokenKinds.userDefined;
  }
  const merges = model.merges.map((merge) => (Array.isArray(merge) ? merge.join(' ') : String(merge)));
  return [
    ['tokenizer.ggml.model', 'string', 'gpt2'],
    ['tokenizer.ggml.pre', 'string', cut.names[0]],
    ['tokenizer.ggml.tokens', 'string', tokens],
    ['tokenizer.ggml.token_type', 'i32', kinds],
    ['tokenizer.ggml.merges', 'string', merges],
  ];
}

function refuse(what: string, file: string): never {
  throw new UserError(`The tokenizer ${what}, which llama.cpp has no name for`, {
    file,
    remedy: 'Export it with --to hf: transformers and vLLM take tokenizer.json as it is.',
    code: 'checkpoint',
  });
}

/** Whether a text falls into the same pieces; offsets, which some fields are about, do not matter. */
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
  const { trim_offsets: _, ...telling } = value;
  return [JSON.stringify(Object.entries(telling).sort(([a], [b]) => (a < b ? -1 : 1)))];
}
