/** Merges adapters into the weights: W + scale * B A. */
import { add, keep, matMul, mul, type Tensor, type Tensor2D, tidy } from '@tensorflow/tfjs-core';
import { adapterScale } from '../student-files/adapter';
import { adapterOf } from './lora';
import type { Model } from './transformer';

/** The weight of that name with its adapter merged: a new tensor, or another handle of the same data without one. */
export function mergedParameter({ parameters, adapter }: Model, name: string): Tensor {
  const weight = parameters.get(name)!;
  const pair = adapter && adapterOf(adapter, name);
  if (!pair) return weight.clone();
  return tidy(() => add(weight as Tensor2D, matMul(mul(pair.b, adapterScale(adapter.settings)), pair.a)));
}

/** The values of that weight with its adapter merged. */
export function mergedValues(model: Model, name: string): Float32Array {
  if (!model.adapter) return model.parameters.get(name)!.dataSync<'float32'>();
  const merged = mergedParameter(model, name);
  const values = merged.dataSync<'float32'>();
  merged.dispose();
  return values;
}

/**
 * A plain model equivalent to `model` with its adapter. Weights without an adapter are shared, so they take no memory.
 */
export function mergeAdapter(model: Model): Model {
  const parameters = new Map([...model.parameters.keys()].map((name) => [name, keep(mergedParameter(model, name))]));
  return { config: model.config, parameters, adapter: null, ropes: null };
}
