/**
 * Building blocks of the two schemas. The message of each field completes the phrase "must be ...", so that every error
 * can say what is allowed (`a number from 0 to 1`) and not only which limit was crossed.
 */
import * as z from 'zod';

export interface NumberRange {
  min?: number;
  max?: number;
  /** Exclusive lower limit. */
  above?: number;
  /** Exclusive upper limit. */
  below?: number;
  /** The value that editors insert for a number without a default. */
  example?: number;
}

function phrase(kind: string, { min, max, above, below }: NumberRange): string {
  let low = above !== undefined ? `above ${above}` : '';
  if (min !== undefined) low = `from ${min}`;
  let high = below !== undefined ? `below ${below}` : '';
  if (max !== undefined) high = low ? `to ${max}` : `up to ${max}`;
  if (above !== undefined && high) return `${kind} ${low} and ${max !== undefined ? `at most ${max}` : high}`;
  if (min !== undefined && !high) return `${kind} of ${min} or more`;
  if (min !== undefined && below !== undefined) return `${kind} ${low} up to but not including ${below}`;
  return [kind, low, high].filter(Boolean).join(' ');
}

function limited(kind: string, range: NumberRange) {
  const error = phrase(kind, range);
  let schema = z.number({ error });
  if (range.min !== undefined) schema = schema.gte(range.min, { error });
  if (range.max !== undefined) schema = schema.lte(range.max, { error });
  if (range.above !== undefined) schema = schema.gt(range.above, { error });
  if (range.below !== undefined) schema = schema.lt(range.below, { error });
  return { schema, error };
}

/** Products and sums of larger settings would overflow: a reward of 1e308 with weight 10 is infinite. */
export const largestNumber = 1e9;

export function number(description: string, range: NumberRange = {}) {
  let { schema } = limited('a number', range);
  if (range.max === undefined && range.below === undefined)
    schema = schema.lte(largestNumber, { error: `a number of at most ${largestNumber}` });
  if (range.min === undefined && range.above === undefined)
    schema = schema.gte(-largestNumber, { error: `a number of ${-largestNumber} or more` });
  return schema.meta(described(description, range));
}

export function whole(description: string, range: NumberRange = { min: 0 }) {
  const { schema, error } = limited('a whole number', range);
  return schema.multipleOf(1, { error }).meta(described(description, range));
}

const described = (description: string, { example }: NumberRange) => ({
  description,
  ...(example !== undefined && { examples: [example] }),
});

/** A number from 0 to 1. */
export const share = (description: string) => number(description, { min: 0, max: 1 });

export const flag = (description: string) => z.boolean({ error: 'true or false' }).describe(description);

export const text = (description: string) =>
  z.string({ error: 'a text in quotes' }).min(1, { error: 'a text that is not empty' }).describe(description);

/** One of the keys of `values`, whose texts explain the choices. */
export function choice<const T extends Record<string, string>>(description: string, values: T) {
  const keys = Object.keys(values) as [keyof T & string, ...(keyof T & string)[]];
  return z.enum(keys).meta({ description, enumDescriptions: Object.values(values) });
}

export function list<T extends z.ZodType>(description: string, item: T, what: string) {
  return z.array(item, { error: `a list of ${what} in [ ]` }).describe(description);
}

export const notAnObject = (issue: { code?: string }) =>
  issue.code === 'invalid_type' ? 'an object in { }' : undefined;

/** An object with no other keys. */
export function group<T extends z.core.$ZodShape>(description: string, shape: T) {
  return z.strictObject(shape, { error: notAnObject }).describe(description);
}

/** A group of settings that `false` turns off. */
export function optionalGroup<T extends z.core.$ZodShape>(description: string, shape: T) {
  return z.union([group(description, shape), z.literal(false, { error: 'false' })]).meta({
    description,
    defaultSnippets: [
      { label: '{ }', description: 'With these settings; absent ones have their defaults.', body: '^{$1}' },
      { label: 'false', description: 'Off.', body: false },
    ],
  });
}

/** The shape without its defaults and with every field optional: absent values come from other settings. */
export function overrides<T extends Record<string, z.ZodType>>(shape: T) {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, withoutDefault(field).optional()])) as {
    [K in keyof T]: z.ZodOptional<InnerType<T[K]>>;
  };
}

type InnerType<T> = T extends z.ZodDefault<infer U> | z.ZodPrefault<infer U> | z.ZodOptional<infer U> ? U : T;

function withoutDefault(field: z.ZodType): z.ZodType {
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault || field instanceof z.ZodOptional)
    return field.unwrap() as z.ZodType;
  return field;
}
