/** JSON schemas of both config files, for completion, hovers and checks in editors (schemas/*.json). */
import { z } from 'zod';
import { experimentSchema } from './experiment';
import { rewardSchema } from './reward';

type Json = Record<string, unknown>;

/** The text of each schema file, by its name in schemas/. */
export function schemaFiles(): Record<string, string> {
  const reward = convert(rewardSchema);
  const experiment = define('reward', reward, convert(experimentSchema)) as Json;
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

/** `schema` with a reference wherever `definition` stands written out. */
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
      // A group whose defaults stand on its fields needs none of its own.
      if (JSON.stringify(jsonSchema.default) === '{}') delete jsonSchema.default;
    },
  }) as Json;
  return json;
}

/** The same settings, none of them required: what `quick` may replace. */
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

/** Nothing is required; and as one value may then fit several alternatives, oneOf becomes anyOf. */
function withoutRequired(schema: Json): Json {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([key, inner]) => !(key === 'required' && Array.isArray(inner)));
    return Object.fromEntries(entries.map(([key, inner]) => [key === 'oneOf' ? 'anyOf' : key, strip(inner)]));
  };
  return strip(schema) as Json;
}
