/** Translates zod's issues to findings that name the allowed values and the probable intention. */
import * as z from 'zod';
import { type Finding, type Path, showPath } from './issue';
import { suggest } from './suggest';

type Schema = z.core.$ZodType;
type ZodIssue = z.core.$ZodIssue;

/** Schema errors of a value: limits on the number of issues, and of keys in one. */
export function schemaFindings(schema: z.ZodType, value: unknown, most: number): Finding[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  const issues = result.error.issues.slice(0, most);
  const found = issues.flatMap((issue) => toFindings(schema, value, cut(issue, most), issue.path as Path));
  // A misspelt required setting is one mistake, not two.
  const misspelt = new Set(
    found.map(
      ({ path, replacement, atKey }) => atKey && showPath([...path.slice(0, -1), JSON.parse(replacement ?? '""')]),
    ),
  );
  return found
    .filter(({ path, atKey }) => atKey || !misspelt.has(showPath(path)) || valueAt(value, path) !== undefined)
    .slice(0, most);
}

/** An issue with at most this many of its keys. */
const cut = (issue: ZodIssue, most: number): ZodIssue =>
  issue.code === 'unrecognized_keys' ? { ...issue, keys: issue.keys.slice(0, most) } : issue;

function toFindings(schema: Schema, root: unknown, issue: ZodIssue, path: Path): Finding[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(schema, root, path, key));
  const value = valueAt(root, path);
  if (value === undefined && path.length > 0) return [missing(schema, root, path, knownValues(issue))];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The intended alternative is the one with a matching type and tag; only its errors are reported.
    const alike = issue.errors.filter((errors) => !errors.some(isMismatch));
    const meant = alike.find((errors) => !errors.some((one) => isOtherTag(one, value))) ?? alike[0];
    if (meant) return meant.flatMap((inner) => toFindings(schema, root, inner, [...path, ...(inner.path as Path)]));
    const leaves = issue.errors.flat().filter(isMismatch).flatMap(flatten);
    return [wrong(path, value, [...new Set(leaves.map(expectation))].join(', or '), leaves.flatMap(knownValues))];
  }
  return [wrong(path, value, expectation(issue), knownValues(issue))];
}

const isMismatch = (issue: ZodIssue) =>
  issue.path.length === 0 && ['invalid_type', 'invalid_value', 'invalid_union', 'invalid_format'].includes(issue.code);

/** The tag of the object is missing, or not that of this alternative. */
const isOtherTag = (issue: ZodIssue, value: unknown) =>
  issue.path.length === 1 &&
  (issue.code === 'invalid_format' ||
    (issue.code === 'invalid_union' && issue.errors.length === 0) ||
    valueAt(value, issue.path as Path) === undefined);

const flatten = (issue: ZodIssue): ZodIssue[] =>
  issue.code === 'invalid_union' && issue.errors.length > 0
    ? issue.errors.flat().filter(isMismatch).flatMap(flatten)
    : [issue];

/** The allowed texts, if the issue lists them. */
function knownValues(issue: ZodIssue): string[] {
  let values: readonly unknown[] = [];
  if (issue.code === 'invalid_value') values = issue.values;
  else if ('options' in issue) values = issue.options as unknown[];
  return values.filter((value) => typeof value === 'string');
}

/** The end of the phrase "must be ...". Fields give it in their message (fields.ts); choices list their values. */
function expectation(issue: ZodIssue): string {
  const values = knownValues(issue);
  if (values.length > 1) return oneOf(values);
  return issue.message;
}

const oneOf = (values: string[]) => `one of ${values.map((value) => `"${value}"`).join(', ')}`;

function wrong(path: Path, value: unknown, expected: string, known: string[]): Finding {
  const meant = typeof value === 'string' ? suggest(value, known) : null;
  return {
    severity: 'error',
    path,
    message: `${showPath(path)} must be ${expected}, not ${showValue(value)}.`,
    remedy: meant ? `Did you mean "${meant}"?` : undefined,
    replacement: meant ? JSON.stringify(meant) : undefined,
  };
}

function unknownKey(schema: Schema, root: unknown, path: Path, key: string): Finding {
  const known = Object.keys(shapeAt(schema, root, path));
  const meant = suggest(key, known);
  return {
    severity: 'error',
    path: [...path, key],
    atKey: true,
    message: `Unknown setting "${key}" in ${showPath(path)}.`,
    remedy: meant ? `Did you mean "${meant}"?` : `Known here: ${known.join(', ')}.`,
    replacement: meant ? JSON.stringify(meant) : undefined,
  };
}

/** Suggestions for one missing setting. */
const mostExamples = 5;

function missing(schema: Schema, root: unknown, path: Path, known: string[]): Finding {
  const name = path[path.length - 1];
  const parent = path.slice(0, -1);
  const field = shapeAt(schema, root, parent)[name] as z.ZodType | undefined;
  const examples = known.length > 0 ? known : ((field?.meta()?.examples as unknown[] | undefined) ?? []);
  return {
    severity: 'error',
    path,
    changes: examples.slice(0, mostExamples).map((value) => ({
      title: `Add "${name}": ${JSON.stringify(value)}`,
      path,
      value,
    })),
    message: `Missing setting "${name}" in ${showPath(parent)}.`,
    remedy:
      known.length > 0
        ? `Add "${name}": ${oneOf(known)}.`
        : `Add "${name}"${field?.description ? `: ${field.description}` : '.'}`,
  };
}

/** The fields of the object at a path; for a union, those of the alternatives that match the value's tag. */
function shapeAt(schema: Schema, value: unknown, path: Path): Record<string, Schema> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'default':
    case 'prefault':
    case 'optional':
      return shapeAt(def.innerType, value, path);
    case 'union': {
      const key = 'discriminator' in def ? (def.discriminator as string) : null;
      const tag = key === null ? undefined : (valueAt(value, [key]) as string | undefined);
      const admits = (option: Schema) =>
        key === null ? hasTagOf(option, value) : !!option._zod.propValues?.[key]?.has(tag);
      const admitted = def.options.filter(admits);
      return Object.assign(
        {},
        ...(admitted.length > 0 ? admitted : def.options).map((option) => shapeAt(option, value, path)),
      );
    }
    case 'array':
      return path.length > 0 ? shapeAt(def.element, valueAt(value, path.slice(0, 1)), path.slice(1)) : {};
    case 'object': {
      if (path.length === 0) return def.shape;
      const field = def.shape[path[0]];
      return field ? shapeAt(field, valueAt(value, path.slice(0, 1)), path.slice(1)) : {};
    }
    default:
      return {};
  }
}

/** Whether no tag of an object is that of another alternative. Only its texts are read, as it may be long. */
function hasTagOf(alternative: Schema, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const names = Object.keys(shapeAt(alternative, value, []));
  const texts = names.flatMap((name) => {
    const text = Object.hasOwn(value, name) ? valueAt(value, [name]) : undefined;
    return typeof text === 'string' ? [[name, text]] : [];
  });
  const { error } = z.safeParse(alternative, Object.fromEntries(texts));
  return !error?.issues.some((issue) => isOtherTag(issue, value));
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string | number, unknown>)[part] : undefined,
    value,
  );
}

function showValue(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
