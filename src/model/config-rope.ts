/** The rotary part of config.json in both of its spellings. */
import { number, refuseField, type Source } from './config-fields';
import { isJsonObject } from './files';

/** How frequencies are stretched for longer contexts; the numbers are those of config.json. */
export type RopeScaling =
  | { type: 'linear'; factor: number }
  | { type: 'llama3'; factor: number; lowFreqFactor: number; highFreqFactor: number; originalPositions: number };

/**
 * `rope_theta` and `rope_scaling`, or `rope_parameters`, which holds both since transformers 5. Throws a UserError for kinds of
 * scaling that are not computed.
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
  if (type === 'default') return null;
  const real = (field: string, absent?: number) => number(source, field, absent, 'real');
  if (type === 'linear') return { type, factor: real('factor') };
  if (type !== 'llama3')
    return refuseField(source, json.rope_type != null ? 'rope_type' : 'type', 'default, linear or llama3');
  return {
    type,
    factor: real('factor'),
    lowFreqFactor: real('low_freq_factor'),
    highFreqFactor: real('high_freq_factor'),
    originalPositions: real('original_max_position_embeddings', maxPositions),
  };
}
