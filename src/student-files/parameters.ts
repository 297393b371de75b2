/** Names, shapes and initial values of a decoder's parameters; names and layouts ([out, in]) are Hugging Face's. */
import type { LoraTarget } from '../config/lora';
import { Random } from '../random';
import type { ModelConfig } from './config';
import { type Family, familyOf } from './families';
import type { LayerSpec } from './layer-spec';

export const embedName = 'model.embed_tokens.weight';
export const normName = 'model.norm.weight';
export const headName = 'lm_head.weight';

/** Names of a layer's weights under `model.layers.<i>.`; norms have names that depend on the family. */
const layerNames = {
  q: 'self_attn.q_proj.weight',
  k: 'self_attn.k_proj.weight',
  v: 'self_attn.v_proj.weight',
  o: 'self_attn.o_proj.weight',
  qBias: 'self_attn.q_proj.bias',
  kBias: 'self_attn.k_proj.bias',
  vBias: 'self_attn.v_proj.bias',
  qNorm: 'self_attn.q_norm.weight',
  kNorm: 'self_attn.k_norm.weight',
  gate: 'mlp.gate_proj.weight',
  up: 'mlp.up_proj.weight',
  down: 'mlp.down_proj.weight',
} as const;

export type LayerWeight = keyof Family['norms'] | keyof typeof layerNames;

export const layerWeights = [
  ...(['inputNorm', 'q', 'k', 'v', 'o', 'qBias', 'kBias', 'vBias', 'qNorm', 'kNorm'] as const),
  ...(['attentionOutputNorm', 'mlpNorm', 'gate', 'up', 'down', 'mlpOutputNorm'] as const),
] as const satisfies readonly LayerWeight[];

/** The module of a linear layer within its block, in PEFT's notation: `q_proj`. */
export const moduleOf = (weight: LoraTarget) => layerNames[weight].split('.')[1];

/** The name of a weight; one that the family lacks gets a name that no file has. */
export function layerName({ modelType }: Pick<ModelConfig, 'modelType'>, layer: number, weight: LayerWeight): string {
  const norms: Partial<Record<LayerWeight, string>> = familyOf(modelType).norms;
  const name = weight in layerNames ? layerNames[weight as keyof typeof layerNames] : `${norms[weight]}.weight`;
  return `model.layers.${layer}.${name}`;
}

export const isNorm = (name: string) => name.endsWith('norm.weight');

/** The shape of every parameter of this architecture, by name. A tied head has no entry. */
export function parameterShapes(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize: d, vocabSize } = config;
  const shapes = new Map<string, number[]>([[embedName, [vocabSize, d]]]);
  config.layerSpecs.forEach((spec, i) => {
    for (const [weight, shape] of Object.entries(layerShapes(config, spec)))
      shapes.set(layerName(config, i, weight as LayerWeight), shape);
  });
  shapes.set(normName, [d]);
  if (!config.tied) shapes.set(headName, [vocabSize, d]);
  return shapes;
}

export function layerShapes(config: ModelConfig, spec: LayerSpec): Partial<Record<LayerWeight, number[]>> {
  const { hiddenSize: d, headDim, intermediateSize: m } = config;
  const query = config.heads * headDim;
  const key = config.kvHeads * headDim;
  return {
    inputNorm: [d],
    q: [query, d],
    k: [key, d],
    v: [key, d],
    o: [d, query],
    ...(spec.qkvBias && { qBias: [query], kBias: [key], vBias: [key] }),
    ...(spec.headNorm && { qNorm: [headDim], kNorm: [headDim] }),
    ...(spec.outputNorms && { attentionOutputNorm: [d] }),
    mlpNorm: [d],
    gate: [m, d],
    up: [m, d],
    down: [d, m],
    ...(spec.outputNorms && { mlpOutputNorm: [d] }),
  };
}

export function parameterCount(config: ModelConfig): number {
  let count = 0;
  for (const shape of parameterShapes(config).values()) count += shape.reduce((size, dimension) => size * dimension, 1);
  return count;
}

/**
 * Initial values of a parameter: factors of norms 1, biases 0, the rest normal with standard deviation 0.02;
 * projections to the residual stream are divided by sqrt(2 layers), so that its variance does not grow with depth
 * (GPT-2's rule).
 * A function of (seed, name).
 */
export function initialValues(config: ModelConfig, name: string, shape: number[], seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((size, dimension) => size * dimension, 1));
  if (isNorm(name)) return values.fill(1 - config.normOffset);
  if (name.endsWith('.bias')) return values;
  const writesResidual = name.endsWith(layerNames.o) || name.endsWith(layerNames.down);
  const deviation = 0.02 / (writesResidual ? Math.sqrt(2 * config.layers) : 1);
  const random = new Random(seed, name);
  return values.map(() => deviation * random.normal());
}
