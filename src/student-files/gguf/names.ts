/**
 * Maps tensor names between GGUF and Hugging Face (gguf-py/gguf/tensor_mapping.py in llama.cpp), and the order of
 * rotary rows: some architectures interleave the two halves of each head of q and k (LlamaModel.permute in
 * convert_hf_to_gguf.py).
 */
import type { ModelConfig } from '../config';
import { familyOf } from '../families';
import { embedName, headName, type LayerWeight, layerName, layerWeights, normName } from '../parameters';

const inLayer: Record<LayerWeight, string> = {
  inputNorm: 'attn_norm.weight',
  q: 'attn_q.weight',
  k: 'attn_k.weight',
  v: 'attn_v.weight',
  o: 'attn_output.weight',
  qBias: 'attn_q.bias',
  kBias: 'attn_k.bias',
  vBias: 'attn_v.bias',
  qNorm: 'attn_q_norm.weight',
  kNorm: 'attn_k_norm.weight',
  attentionOutputNorm: 'post_attention_norm.weight',
  mlpNorm: 'ffn_norm.weight',
  gate: 'ffn_gate.weight',
  up: 'ffn_up.weight',
  down: 'ffn_down.weight',
  mlpOutputNorm: 'post_ffw_norm.weight',
};

/** GGUF's name for each Hugging Face name of the family's tensors. */
export function ggufNames(config: ModelConfig): Map<string, string> {
  const layers = Array.from({ length: config.layers }, (_, i) =>
    layerWeights.map((weight): [string, string] => [layerName(config, i, weight), `blk.${i}.${inLayer[weight]}`]),
  );
  return new Map([
    [embedName, 'token_embd.weight'],
    ...layers.flat(),
    [normName, 'output_norm.weight'],
    [headName, 'output.weight'],
  ]);
}

/** Number of heads of a tensor (by Hugging Face's name) whose rows are interleaved in GGUF; 0 for all others. */
export function interleavedHeads(name: string, { modelType, heads, kvHeads }: ModelConfig): number {
  if (!familyOf(modelType).gguf.interleaved) return 0;
  const [, projection] = /\.self_attn\.([qk])_proj\.(?:weight|bias)$/.exec(name) ?? [];
  if (projection === undefined) return 0;
  return projection === 'q' ? heads : kvHeads;
}

/** GGUF stores the factors of norms, even if Hugging Face stores them minus 1. */
export const minusOffset = (values: Float32Array, offset: number): Float32Array =>
  offset === 0 ? values : values.map((value) => value - offset);

/** Rows (h, half, i) of a matrix or vector in the order (h, i, half): from Hugging Face's order to GGUF's. */
export const interleave = (values: Float32Array, rows: number, heads: number): Float32Array =>
  reorderHeads(values, rows, heads, (from, to, source, target) => target.set(source(from), to));

/** The inverse. */
export const separate = (values: Float32Array, rows: number, heads: number): Float32Array =>
  reorderHeads(values, rows, heads, (from, to, source, target) => target.set(source(to), from));

function reorderHeads(
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
