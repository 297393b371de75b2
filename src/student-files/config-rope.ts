/** The rotary part of config.json in both of its spellings. */
import { number, refuseField, type Source } from './config-fields';
import { isJsonObject } from './files';

/** How frequencies are stretched for longer contexts; the numbers are those of config.json. */
export type RopeScaling = { type: 'linear'; factor: number } | Llama3Scaling | YarnScaling;

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
  /** cos and sin are multiplied by it, so that attention is scaled by its square. */
  attentionFactor: number;
  /**
   * Turns over the original positions: waves with more are kept, those with fewer than betaSlow are stretched by
   * `factor`.
   */
  betaFast: number;
  betaSlow: number;
  originalPositions: number;
  /** Whether the bounds between the two are rounded to whole dimensions. */
  truncate: boolean;
}

/**
 * `rope_theta` and `rope_scaling`, or `rope_parameters`, which holds both since transformers 5. Throws a UserError for
 * kinds of scaling that are not computed.
 */
export function ropeOf(source: Source, maxPositions: number): { ropeTheta: number; ropeScaling: RopeScaling | null } {
  const { json } = source;
  const name = json.rope_parameters != null ? 'rope_parameters' : 'rope_scaling';
  const parameters = json[name] ?? {};
  if (!isJsonObject(parameters)) return refuseField(source, name, 'an object');
  const inner: Source = { json: parameters, file: source.file, path: `${name}.` };
  const theta: Source = parameters.rope_theta == null ? source : inner;
  if ((parameters.partial_rotary_factor ?? 1) !== 1) refuseField(inner, 'partial_rotary_factor', '1');
  return { ropeTheta: number(theta, 'rope_theta', 10000, 'real'), ropeScaling: scalingOf(inner, maxPositions) };
}

function scalingOf(source: Source, maxPositions: number): RopeScaling | null {
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
      // It stretches only beyond max_position_embeddings, and no sequence here is longer (checkLength).
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
      );
  }
}

/** YaRN's attention factor where nothing else is said (arXiv 2309.00071, equation 22). */
export const usualAttentionFactor = (factor: number, weight = 1): number =>
  factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;

/** Defaults are those of transformers (modeling_rope_utils, _compute_yarn_parameters). */
function yarnOf(source: Source, originalPositions: number): YarnScaling {
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
