/**
 * Tensors under GGUF's names and under Hugging Face's (gguf-py/gguf/tensor_mapping.py in llama.cpp), and the order of
 * rotary rows: for the architecture llama, GGUF has the two halves of each head of q and k interleaved
 * (LlamaModel.permute in convert_hf_to_gguf.py).
 */
import type { ModelConfig } from '../config';
import { embedName, headName, layerNames, normName } from '../parameters';

const inLayer: Record<string, string> = {
  [layerNames.inputNorm]: 'attn_norm.weight',
  [layerNames.q]: 'attn_q.weight',
  [layerNames.k]: 'attn_k.weight',
  [layerNames.v]: 'attn_v.weight',
  [layerNames.o]: 'attn_output.weight',
  [layerNames.qBias]: 'attn_q.bias',
  [layerNames.kBias]: 'attn_k.bias',
  [layerNames.vBias]: 'attn_v.bias',
  'self_attn.o_proj.bias': 'attn_output.bias',
  [layerNames.qNorm]: 'attn_q_norm.weight',
  [layerNames.kNorm]: 'attn_k_norm.weight',
  [layerNames.postNorm]: 'ffn_norm.weight',
  [layerNames.gate]: 'ffn_gate.weight',
  [layerNames.up]: 'ffn_up.weight',
  [layerNames.down]: 'ffn_down.weight',
};

const outside: Record<string, string> = {
  [embedName]: 'token_embd.weight',
  [normName]: 'output_norm.weight',
  [headName]: 'output.weight',
};

const inverse = (names: Record<string, string>) =>
  new Map(Object.entries(names).map(([hugging, gguf]) => [gguf, hugging]));
const layerOf = inverse(inLayer);
const outsideOf = inverse(outside);

/** GGUF's name for one of Hugging Face's; null when it has none. */
export function ggufName(name: string): string | null {
  const [, layer, weight] = /^model\.layers\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (layer === undefined) return outside[name] ?? null;
  return Object.hasOwn(inLayer, weight) ? `blk.${layer}.${inLayer[weight]}` : null;
}

/** Hugging Face's name for one of GGUF's; null when it has none. */
export function huggingFaceName(name: string): string | null {
  const [, layer, weight] = /^blk\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (layer === undefined) return outsideOf.get(name) ?? null;
  const known = layerOf.get(weight);
  return known === undefined ? null : `model.layers.${layer}.${known}`;
}

/** Heads of a tensor (by Hugging Face's name) whose rows GGUF has interleaved; 0 for all others. */
export function interleavedHeads(name: string, { modelType, heads, kvHeads }: ModelConfig): number {
  if (modelType !== 'llama' && modelType !== 'mistral') return 0;
  const [, projection] = /\.self_attn\.([qk])_proj\.(?:weight|bias)$/.exec(name) ?? [];
  if (projection === undefined) return 0;
  return projection === 'q' ? heads : kvHeads;
}

/** Rows (h, half, i) of a matrix or vector in the order (h, i, half): from Hugging Face's to GGUF's. */
export const interleave = (values: Float32Array, rows: number, heads: number): Float32Array =>
  reorder(values, rows, heads, (from, to, source, target) => target.set(source(from), to));

/** The other way round. */
export const separate = (values: Float32Array, rows: number, heads: number): Float32Array =>
  reorder(values, rows, heads, (from, to, source, target) => target.set(source(to), from));

function reorder(
  values: Float32Array,
  rows: number,
  heads: number,
  move: (separated: number, interleaved: number, source: (at: number) => Float32Array, target: Float32Array) => void,
): Float32Array {
  const width = values.length / rows;
  const dimension = rows / heads;
  const target = new Float32Array(values.length);
  const source = (at: number) => values.subarray(at, at + width);
  for (let head = 0; head < heads; head++)
    for (let i = 0; i < dimension / 2; i++)
      for (let part = 0; part < 2; part++) {
        const separated = head * dimension + (part * dimension) / 2 + i;
        const interleaved = head * dimension + 2 * i + part;
        move(separated * width, interleaved * width, source, target);
      }
  return target;
}
