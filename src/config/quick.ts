import { isObject } from '../json';

/** The experiment with its `quick` settings applied. */
export function mergeQuick(value: unknown): unknown {
  if (!isObject(value) || !isObject(value.quick)) return value;
  const { quick, ...rest } = value;
  return merge(rest, quick);
}

/** Objects are merged, everything else is replaced, including a data source of another format, as its fields differ. */
function merge(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  if ('format' in over && over.format !== base.format) return over;
  const out: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) out[key] = key in base ? merge(base[key], value) : value;
  return out;
}
