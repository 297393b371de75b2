/** Reads single fields of config.json, with error messages that name them. */
import { UserError } from '../errors';
import { modelTypes } from './families';
import type { JsonObject } from './files';

export interface ConfigSource {
  json: JsonObject;
  /** For messages. */
  file?: string;
  /** Path of the object in the file, such as `rope_scaling.`; empty at the top. */
  path?: string;
}

const elsewhere =
  `The embedded engine supports ${modelTypes.join(', ')}; for others: ` +
  '`distillery engine install`, and "backend": "torch".';

/** The error has the code `architecture` where another engine may support the value. */
export function refuseField(
  { json, file, path = '' }: ConfigSource,
  field: string,
  wanted: string,
  code: 'checkpoint' | 'architecture' = 'checkpoint',
): never {
  const is = json[field] === undefined ? 'is missing' : `is ${JSON.stringify(json[field])}`;
  throw new UserError(`${path}${field} ${is}; it must be ${wanted}`, {
    file,
    remedy: code === 'architecture' ? elsewhere : 'Correct config.json, or copy or download the student again.',
    code,
  });
}

/** Refuses all values of a field except the given ones; an absent field or null counts as `absent`. */
export function requireField(source: ConfigSource, field: string, allowed: unknown[], absent: unknown): void {
  const value = source.json[field] ?? absent;
  if (allowed.includes(value)) return;
  refuseField(source, field, allowed.map((item) => JSON.stringify(item)).join(' or '), 'architecture');
}

/** No model has a larger dimension; a wrong one would waste memory and time until it is detected. */
const maxSize = 2 ** 31;
/** The same for layers, which are counted one by one before any weight is read. */
export const maxLayers = 10_000;

/** A number: `size` = integer of at least 1, `count` = integer of at least 0, `real` = positive. */
export function number(
  source: ConfigSource,
  field: string,
  absent?: number,
  kind: 'size' | 'count' | 'real' = 'size',
): number {
  const value = source.json[field] ?? absent;
  const wanted = { size: 'a whole number of at least 1', count: 'a whole number', real: 'a positive number' }[kind];
  if (typeof value !== 'number' || !Number.isFinite(value)) return refuseField(source, field, wanted);
  const given = source.json[field] != null;
  if (kind === 'real' ? value <= 0 : given && (!Number.isSafeInteger(value) || value < (kind === 'size' ? 1 : 0)))
    refuseField(source, field, wanted);
  if (kind !== 'real' && value > maxSize) refuseField(source, field, `at most ${maxSize}`);
  return value;
}
