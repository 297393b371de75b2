/** Names, shapes and first values of a decoder's parameters; names and layouts ([out, in]) are Hugging Face's. */
import { Random } from '../random';
import type { ModelConfig } from './config';

export const embedName = 'model.embed_tokens.weight';
export const normName = 'model.norm.weight';
export const headName = 'lm_head.weight';

/** Where each weight of a layer stands under `model.layers.<i>.`. */
export const layerNames = {
  inputNorm: 'input_layernorm.weight',
  q: 'self_attn.q_proj.weight',
  k: 'self_attn.k_proj.weight',
  v: 'self_attn.v_proj.weight',
  o: 'self_attn.o_proj.weight',
  qBias: 'self_attn.q_proj.bias',
  kBias: 'self_attn.k_proj.bias',
  vBias: 'self_attn.v_proj.bias',
  qNorm: 'self_attn.q_norm.weight',
  kNorm: 'self_attn.k_norm.weight',
  postNorm: 'post_attention_layernorm.weight',
  gate: 'mlp.gate_proj.weight',
  up: 'mlp.up_proj.weight',
  down: 'mlp.down_proj.weight',
} as const;

export const layerName = (layer: number, weight: keyof typeof layerNames) =>
  `model.layers.${layer}.${layerNames[weight]}`;

/** The shape of every parameter of this architecture, by name. A tied head has no entry of its own. */
export function parameterShapes(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize: d, headDim, intermediateSize: m, vocabSize } = config;
  const query = config.heads * headDim;
  const key = config.kvHeads * headDim;
  const layer: Partial<Record<keyof typeof layerNames, number[]>> = {
    inputNorm: [d],
    q: [query, d],
    k: [key, d],
    v: [key, d],
    o: [d, query],
    ...(config.qkvBias && { qBias: [query], kBias: [key], vBias: [key] }),
    ...(config.qkNorm && { qNorm: [headDim], kNorm: [headDim] }),
    postNorm: [d],
    gate: [m, d],
    up: [m, d],
    down: [d, m],
  };
  const shapes = new Map<string, number[]>([[embedName, [vocabSize, d]]]);
  for (let i = 0; i < config.layers; i++)
    for (const [weight, shape] of Object.entries(layer))
      shapes.set(layerName(i, weight as keyof typeof layerNames), shape);
  shapes.set(normName, [d]);
  if (!config.tied) shapes.set(headName, [vocabSize, d]);
  return shapes;
}

export function parameterCount(config: ModelConfig): number {
  let count = 0;
  for (const shape of parameterShapes(config).values()) count += shape.reduce((size, dimension) => size * dimension, 1);
  return count;
}

/**
 * First values of a parameter: norms 1, biases 0, the rest normal with deviation 0.02; the projections that write to
 * the residual stream divided by sqrt(2 layers), so that its variance does not grow with depth (GPT-2's rule). A
 * function of (seed, name).
 */
export function initialValues(config: ModelConfig, name: string, shape: number[], seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((size, dimension) => size * dimension, 1));
  if (name.endsWith('norm.weight')) return values.fill(1);
  if (name.endsWith('.bias')) return values;
  const writesResidual = name.endsWith(layerNames.o) || name.endsWith(layerNames.down);
  const deviation = 0.02 / (writesResidual ? Math.sqrt(2 * config.layers) : 1);
  const random = new Random(seed, name);
  return values.map(() => deviation * random.normal());
}
