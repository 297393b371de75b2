import { adapterFrom } from '../lora';
import { type Model, modelFrom, shareFrozen } from '../transformer';

/**
 * A copy with its own memory for trainable parameters. Frozen parameters are shared; their data is kept as long as one
 * of the models exists.
 */
export function copyModel(model: Model): Model {
  const { config, adapter, parameters } = model;
  if (!adapter) return modelFrom(config, (name) => Float32Array.from(parameters.get(name)!.dataSync()));
  const { settings, base } = adapter;
  const values = (name: string) => Float32Array.from(adapter.parameters.get(name)!.dataSync());
  return Object.assign(shareFrozen(model), { adapter: adapterFrom(config, settings, base, values) });
}
