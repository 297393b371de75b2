/** JSON schemas of both config files, for completion, hovers and checks in editors (schemas/*.json). */
import * as z from 'zod';
import { experimentSchema } from './experiment';
import { rewardSchema } from './reward';

type Json = Record<string, unknown>;

/** The text of each schema file, by its name in schemas/. */
export function schemaFiles(): Record<string, string> {
  const reward = convert(rewardSchema());
  const experiment = define('reward', reward, convert(experimentSchema())) as Json;
  const properties = experiment.properties as Record<string, Json>;
  properties.quick = quickSchema(properties);
  return {
    'experiment.schema.json': print('Distillery experiment', { ...experiment, definitions: { reward } }),
    'reward.schema.json': print('Distillery reward config', reward),
  };
}

function print(title: string, schema: Json): string {
  const head = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title,
    allowComments: true,
    allowTrailingCommas: true,
  };
  return `${JSON.stringify({ ...head, ...schema }, null, 2)}\n`;
}

/** `schema` with references in place of copies of `definition`. */
function define(name: string, definition: Json, schema: unknown): unknown {
  const whole = JSON.stringify(definition);
  const walk = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(walk);
    if (JSON.stringify(value) === whole) return { $ref: `#/definitions/${name}` };
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(schema);
}

function convert(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7', // the draft that VS Code supports in full
    override: ({ jsonSchema }) => {
      if (jsonSchema.type === 'number' && jsonSchema.multipleOf === 1) {
        jsonSchema.type = 'integer';
        delete jsonSchema.multipleOf;
      }
      // A group whose fields have defaults needs no default of its own.
      if (JSON.stringify(jsonSchema.default) === '{}') delete jsonSchema.default;
    },
  }) as Json;
  return forEditors(json) as Json;
}

/**
 * Extensions for VS Code's JSON service: hovers that explain each choice and the default, and a message for an unknown
 * tag that lists all tags (without it, only those of the best-matching alternative).
 */
function forEditors(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(forEditors);
  if (typeof value !== 'object' || value === null) return value;
  const schema = value as Json;
  const out: Json = {};
  for (const [key, inner] of Object.entries(schema))
    out[key] = key === 'defaultSnippets' || key === 'default' || key === 'examples' ? inner : forEditors(inner);
  const [first, ...rest] = (out.anyOf as Json[] | undefined) ?? [];
  // A choice within a choice is one choice: editors then find the alternative by its tag.
  if (first && Object.keys(first).join() === 'oneOf') {
    delete out.anyOf;
    out.oneOf = [...(first.oneOf as Json[]), ...rest];
  }
  if (Array.isArray(out.oneOf)) nameTags(out.oneOf as Json[]);
  const details = typeof schema.description === 'string' ? detailsOf(schema) : [];
  if (details.length > 0) out.markdownDescription = [plain(schema.description as string), ...details].join('\n\n');
  return out;
}

/** The choices with explanations, and the default, as Markdown. */
function detailsOf(schema: Json): string[] {
  const choices = [schema, ...((schema.anyOf as Json[] | undefined) ?? [])].flatMap(choicesOf);
  const { default: preset } = schema;
  return [
    ...(choices.length > 1 ? [choices.join('\n')] : []),
    ...(preset === undefined ? [] : [`Default: \`${JSON.stringify(preset)}\``]),
  ];
}

const choicesOf = (schema: Json): string[] =>
  ((schema.enum as string[] | undefined) ?? []).map((name, i) => {
    const meaning = (schema.enumDescriptions as string[] | undefined)?.[i];
    return `- \`${name}\`${meaning ? `: ${plain(meaning)}` : ''}`;
  });

/** Text escaped for Markdown. */
const plain = (text: string) => text.replace(/[\\*_{}[\]<>#|~]/g, '\\$&');

/** For a choice between objects with a tag, such as a component's `use`. The tag of a reward in code is any path. */
function nameTags(alternatives: Json[]): void {
  const tagsOf = (key: string) =>
    alternatives.map((one) => (one.properties as Record<string, Json> | undefined)?.[key] ?? {});
  const first = alternatives[0].properties as Record<string, Json> | undefined;
  const isTag = ({ enum: tags, pattern }: Json) => (tags as string[] | undefined)?.length === 1 || Boolean(pattern);
  const key = Object.keys(first ?? {}).find((name) => tagsOf(name).every(isTag));
  if (!key) return;
  const names = tagsOf(key).flatMap(({ enum: tags }) => (tags as string[] | undefined) ?? []);
  const paths = names.length < alternatives.length ? ', or the path of a module such as "./my.reward.mjs"' : '';
  const errorMessage = `"${key}" must be one of ${names.join(', ')}${paths}.`;
  for (const tag of tagsOf(key)) {
    tag.errorMessage = errorMessage;
    if (tag.pattern) tag.patternErrorMessage = errorMessage;
  }
}

/** The same settings, all optional: the settings that `quick` may replace. */
function quickSchema(properties: Record<string, Json>): Json {
  const { $schema: _, name: _name, description: _description, quick, student, data, ...rest } = properties;
  const settings = Object.fromEntries(Object.keys(rest).map((key) => [key, { $ref: `#/properties/${key}` }]));
  return {
    type: 'object',
    description: quick.description,
    additionalProperties: false,
    properties: { ...settings, student: withoutRequired(student), data: withoutRequired(data) },
  };
}

/** Nothing is required. As a value may then match several alternatives, oneOf becomes anyOf. */
function withoutRequired(schema: Json): Json {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([key, inner]) => !(key === 'required' && Array.isArray(inner)));
    return Object.fromEntries(entries.map(([key, inner]) => [key === 'oneOf' ? 'anyOf' : key, strip(inner)]));
  };
  return strip(schema) as Json;
}
