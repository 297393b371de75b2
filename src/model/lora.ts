/**
 * Low-rank adapters (LoRA, Hu et al., arXiv 2106.09685): a frozen weight W [out, in] is accompanied by A [rank, in] and
 * B [out, rank], and the layer computes x Wᵀ + scale * dropout(x) Aᵀ Bᵀ. Names, initial values and scale are those of
 * the PEFT library.
 */
import { dispose, keep, type Tensor, type Tensor2D, tensor2d } from '@tensorflow/tfjs-core';
import { Random } from '../random';
import { type AdapterSettings, adapterName, adapterShapes } from '../student-files/adapter';
import type { ModelConfig } from '../student-files/config';

/** The frozen student below an adapter. */
export interface AdapterBase {
  /** Its folder or file, absolute. */
  path: string;
  /** See fingerprint.ts; files use it to identify the base. */
  fingerprint: string;
}

export interface Adapter {
  readonly settings: AdapterSettings;
  readonly base: AdapterBase;
  /** A and B of every target under PEFT's names. Entries may be replaced by tensors of the same shape. */
  readonly parameters: Map<string, Tensor>;
}

/** An adapter with the values returned by `read`; it takes ownership of the arrays. */
export function adapterFrom(
  config: ModelConfig,
  settings: AdapterSettings,
  base: AdapterBase,
  read: (name: string, shape: [number, number]) => Float32Array,
): Adapter {
  const parameters = new Map<string, Tensor>();
  try {
    for (const [name, shape] of adapterShapes(config, settings))
      parameters.set(name, keep(tensor2d(read(name, shape), shape)));
  } catch (error) {
    dispose([...parameters.values()]);
    throw error;
  }
  return { settings, base, parameters };
}

/**
 * A new adapter with no effect: B is 0, and A uniform within 1 / sqrt(in), which equals PEFT's kaiming_uniform_(a =
 * sqrt(5)). A function of (seed, name).
 */
export function createAdapter(
  config: ModelConfig,
  settings: AdapterSettings,
  base: AdapterBase,
  seed: number,
): Adapter {
  return adapterFrom(config, settings, base, (name, [rows, columns]) => {
    const values = new Float32Array(rows * columns);
    if (name.endsWith('.lora_B.weight')) return values;
    const random = new Random(seed, name);
    const bound = 1 / Math.sqrt(columns);
    return values.map(() => bound * (2 * random.uniform() - 1));
  });
}

/** A and B of the weight with that name; null if it has none. */
export function adapterOf({ parameters }: Adapter, weight: string): { a: Tensor2D; b: Tensor2D } | null {
  const a = parameters.get(adapterName(weight, 'A'));
  return a ? { a: a as Tensor2D, b: parameters.get(adapterName(weight, 'B')) as Tensor2D } : null;
}

/** Whether it is unchanged since createAdapter: B is all zero. */
export function addsNothing({ parameters }: Adapter): boolean {
  return [...parameters].every(([name, parameter]) => {
    if (!name.endsWith('.lora_B.weight')) return true;
    return parameter.dataSync<'float32'>().every((value) => value === 0);
  });
}
