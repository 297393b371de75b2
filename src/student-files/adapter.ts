/** Names, shapes and settings of an adapter (LoRA), following the PEFT library. */
import { type LoraSettings, loraTargets } from '../config/lora';
import type { ModelConfig } from './config';
import { layerName, parameterShapes } from './parameters';

export interface AdapterSettings extends LoraSettings {
  /** alpha / sqrt(rank) instead of alpha / rank (rsLoRA, arXiv 2312.03732); only from files. */
  rankStabilized?: boolean;
}

export function adapterScale({ rank, alpha, rankStabilized }: AdapterSettings): number {
  return alpha / (rankStabilized ? Math.sqrt(rank) : rank);
}

/** PEFT's name of A or B for a weight's Hugging Face name. */
export const adapterName = (weight: string, part: 'A' | 'B') =>
  `base_model.model.${weight.replace(/\.weight$/, `.lora_${part}.weight`)}`;

/** The shape of every adapter parameter, by PEFT's name, in layer order. */
export function adapterShapes(config: ModelConfig, { rank, targets }: AdapterSettings): Map<string, [number, number]> {
  const whole = parameterShapes(config);
  const shapes = new Map<string, [number, number]>();
  for (let layer = 0; layer < config.layers; layer++)
    for (const target of loraTargets.filter((one) => targets.includes(one))) {
      const weight = layerName(config, layer, target);
      const [out, inner] = whole.get(weight)!;
      shapes.set(adapterName(weight, 'A'), [rank, inner]);
      shapes.set(adapterName(weight, 'B'), [out, rank]);
    }
  return shapes;
}
