import type { LoraSettings } from '../../config/lora';
import { fingerprint } from '../../model/fingerprint';
import { type Adapter, createAdapter } from '../../model/lora';
import { mergeAdapter } from '../../model/merge';
import { disposeModel, type Model } from '../../model/transformer';
import type { OpenOptions } from '../port';

/**
 * Prepares a loaded student for training: with `lora` an adapter beside frozen weights, else plain weights. A student
 * that already has an adapter keeps it, or gets it merged. `path` is the student's, absolute.
 */
export function adapt(model: Model, path: string, { lora, seed, warn }: OpenOptions): void {
  if (!lora) merge(model);
  else if (!model.adapter) {
    const base = { path, fingerprint: fingerprint(model.parameters) };
    model.adapter = createAdapter(model.config, lora, base, seed);
  } else continueAdapter(model, model.adapter, lora, warn);
}

function continueAdapter(model: Model, adapter: Adapter, lora: LoraSettings, warn: OpenOptions['warn']): void {
  const { settings } = adapter;
  const differs = (['rank', 'alpha', 'targets'] as const).filter((name) => `${settings[name]}` !== `${lora[name]}`);
  if (differs.length > 0)
    warn?.(
      'the student has an adapter already, which is trained further: ' +
        `student.lora.${differs.join(', ')} ${differs.length > 1 ? 'are' : 'is'} as in ` +
        `its files (${differs.map((name) => `${name} ${settings[name]}`).join('; ')})`,
    );
  model.adapter = { ...adapter, settings: { ...settings, dropout: lora.dropout } };
}

function merge(model: Model): void {
  if (!model.adapter) return;
  const merged = mergeAdapter(model);
  const parameters = new Map(merged.parameters);
  disposeModel(model);
  model.adapter = null;
  for (const [name, parameter] of parameters) model.parameters.set(name, parameter);
}
