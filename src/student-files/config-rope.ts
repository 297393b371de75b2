/** The rotary settings of config.json in both of their notations. */
import { type ConfigSource, number, refuseField, requireField } from './config-fields';
import type { Family } from './families';
import { isJsonObject, type JsonObject } from './files';

/** Frequency scaling for longer contexts; the numbers are those of config.json. */
type RopeScaling = { type: 'linear'; factor: number } | Llama3Scaling | YarnScaling;

export interface Llama3Scaling {
  type: 'llama3';
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalPositions: number;
}

/** YaRN (arXiv 2309.00071). */
export interface YarnScaling {
  type: 'yarn';
  factor: number;
  /** Factor of cos and sin; attention is scaled by its square. */
  attentionFactor: number;
  /**
   * Rotations over the original context length: waves with more are kept, those with fewer than betaSlow are stretched
   * by `factor`.
   */
  betaFast: number;
  betaSlow: number;
  originalPositions: number;
  /** Whether the bounds between the two are rounded to integers. */
  truncate: boolean;
}

/** The settings of a rotary table. */
export interface RopeSettings {
  ropeTheta: number;
  ropeScaling: RopeScaling | null;
}

/**
 * Reads `rope_theta` and `rope_scaling`, or `rope_parameters`, which contains both since transformers 5; for families
 * whose windowed layers have their own table, that one second. @throws UserError for unsupported kinds of scaling
 */
export function ropesOf(source: ConfigSource, maxPositions: number, { absent, localTheta }: Family): RopeSettings[] {
  const { json, file } = source;
  const name = json.rope_parameters != null ? 'rope_parameters' : 'rope_scaling';
  const parameters = json[name] ?? {};
  if (!isJsonObject(parameters)) return refuseField(source, name, 'an object');
  /** An object of settings; missing ones are read from the top level of config.json, in `field`. */
  const read = (settings: JsonObject, path: string, field: string, theta: number): RopeSettings => {
    const inner: ConfigSource = { json: settings, file, path };
    requireField(inner, 'partial_rotary_factor', [1], 1);
    const ropeTheta =
      settings.rope_theta == null ? number(source, field, theta, 'real') : number(inner, 'rope_theta', theta, 'real');
    return { ropeTheta, ropeScaling: scalingOf(inner, maxPositions) };
  };
  const { full_attention: whole, sliding_attention: local } = parameters;
  const ropes = isJsonObject(whole)
    ? [read(whole, `${name}.full_attention.`, 'rope_theta', absent.theta)]
    : [read(parameters, `${name}.`, 'rope_theta', absent.theta)];
  if (localTheta) {
    const { field, absent: theta } = localTheta;
    ropes.push(read(isJsonObject(local) ? local : {}, `${name}.sliding_attention.`, field, theta));
  }
  return ropes;
}

function scalingOf(source: ConfigSource, maxPositions: number): RopeScaling | null {
  const { json } = source;
  const type = json.rope_type ?? json.type ?? 'default';
  const real = (field: string, absent?: number) => number(source, field, absent, 'real');
  const originalPositions = () => real('original_max_position_embeddings', maxPositions);
  switch (type) {
    case 'default':
      return null;
    case 'linear':
      return { type: 'linear', factor: real('factor') };
    case 'dynamic':
      // It scales only beyond max_position_embeddings, and no sequence here is longer (checkLength).
      real('factor');
      return null;
    case 'llama3':
      return {
        type: 'llama3',
        factor: real('factor'),
        lowFreqFactor: real('low_freq_factor'),
        highFreqFactor: real('high_freq_factor'),
        originalPositions: originalPositions(),
      };
    case 'yarn':
      return yarnOf(source, originalPositions());
    default:
      return refuseField(
        source,
        json.rope_type != null ? 'rope_type' : 'type',
        'default, linear, dynamic, llama3 or yarn',
        'architecture',
      );
  }
}

/** YaRN's default attention factor (arXiv 2309.00071, equation 22). */
export const usualAttentionFactor = (factor: number, weight = 1): number =>
  factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;

/** Defaults are those of transformers (modeling_rope_utils, _compute_yarn_parameters). */
function yarnOf(source: ConfigSource, originalPositions: number): YarnScaling {
  const { json } = source;
  const real = (field: string, absent?: number) => number(source, field, absent, 'real');
  const factor = real('factor');
  const weighted = json.mscale && json.mscale_all_dim;
  const inferred = weighted
    ? usualAttentionFactor(factor, real('mscale')) / usualAttentionFactor(factor, real('mscale_all_dim'))
    : usualAttentionFactor(factor);
  return {
    type: 'yarn',
    factor,
    attentionFactor: real('attention_factor', inferred),
    betaFast: real('beta_fast', 32),
    betaSlow: real('beta_slow', 1),
    originalPositions,
    truncate: json.truncate !== false,
  };
}
