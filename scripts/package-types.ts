/**
 * The entries `records` and `engine` of the package as TypeScript (types/*.d.ts), generated from the JSON schemas of
 * run folders and of the engine protocol. They are JSON as it is written: numbers may be texts ("NaN"), arrays may be
 * base64. Our schemas use so little of JSON schema that these lines do what a library for all of it would.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as z from 'zod';
import { examples, floatRows, rows } from '../src/engine/process/encodings';
import { engineSchemaFiles } from '../src/engine/process/json-schema';
import { numberOrText } from '../src/json';
import { packageRoot } from '../src/paths';
import { stageSchema } from '../src/runs/records';
import { commentsIn, describe, type Json, recordSchemas } from './record-schemas';

const head = (from: string) => `/** Generated from ${from} by \`npx tsx scripts/generate-schemas.ts\`. */\n\n`;

/** A type with a name of its own, which replaces it wherever it occurs. */
type Named = [name: string, schema: z.ZodType, description?: string];

const jsonNumber: Named = [
  'JsonNumber',
  numberOrText,
  'JSON has no NaN and no infinities; `Number` reads all of these.',
];

/** The texts of the generated entries by name in types/. */
export function packageTypeFiles(): Record<string, string> {
  return {
    'records.d.ts': formatted(
      head('src/runs/records.ts') + withNames([jsonNumber, ['Stage', stageSchema]], recordTypes()),
    ),
    'engine.d.ts': formatted(head('src/engine/process/wire.ts') + withNames(engineNames(), engineTypes())),
  };
}

function recordTypes(): string[] {
  return recordSchemas().map(({ type, schema }) => {
    const {
      title,
      description = title,
      items = schema,
    } = schema as { title: string; description?: string; items?: Json };
    const about = description.includes(title) ? description : `${title}. ${description}`;
    return declaration(type, { ...items, description: about });
  });
}

function engineNames(): Named[] {
  const comments = commentsIn('src/engine/process/encodings.ts');
  return [
    jsonNumber,
    ['Rows', rows, comments.get('rows')],
    ['FloatRows', floatRows, comments.get('floatRows')],
    ['Examples', examples, comments.get('examples')],
  ];
}

function withNames(named: readonly Named[], declarations: readonly string[]): string {
  return named.reduceRight((text, [name, schema, description]) => {
    const json = { ...(z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as Json), description };
    return `${declaration(name, json)}\n${text.replaceAll(typeOf(json), name)}`;
  }, declarations.join('\n'));
}

function engineTypes(): string[] {
  const { definitions } = JSON.parse(engineSchemaFiles()['engine.schema.json']) as {
    definitions: Record<string, Json>;
  };
  const { progress, error, ...methods } = definitions;
  const comments = commentsIn('src/engine/process/wire.ts');
  const requests = {
    type: 'object',
    description: 'Parameters and result of every request, by method (docs/engine.md).',
    properties: methods,
    required: Object.keys(methods),
  };
  describe(requests, comments, 'methods');
  for (const method of Object.values(methods)) method.required = Object.keys(method.properties as Json);
  return [
    declaration('EngineRequests', requests),
    declaration('EngineProgress', { ...progress, description: comments.get('progress') }),
    declaration('EngineError', { ...error, description: comments.get('fault') }),
  ];
}

function declaration(name: string, schema: Json): string {
  const text = typeOf(schema);
  const body =
    text.startsWith('{') && schema.type === 'object' ? `interface ${name} ${text}` : `type ${name} = ${text};`;
  return `${comment(schema.description)}export ${body}\n`;
}

/** A schema as a type. @throws Error for what our schemas do not use so far */
function typeOf(schema: Json): string {
  const { type, items } = schema;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return (schema.enum as string[]).map((value) => JSON.stringify(value)).join(' | ');
  const choices = (schema.anyOf ?? schema.oneOf) as Json[] | undefined;
  if (choices) return choices.map(typeOf).join(' | ');
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one })).join(' | ');
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'string' || type === 'boolean' || type === 'null') return type;
  if (type === 'array') return Array.isArray(items) ? `[${items.map(typeOf)}]` : `(${typeOf(items as Json)})[]`;
  if (type === 'object') return objectType(schema);
  if (Object.keys(schema).every((key) => key === 'description')) return 'unknown';
  throw new Error(`types of ${JSON.stringify(schema)} are not written here`);
}

function objectType({ properties, required, additionalProperties: others }: Json): string {
  if (!others && Object.keys(properties ?? {}).length === 0) return 'Record<string, never>';
  const needed = new Set(required as string[] | undefined);
  const fields = Object.entries((properties ?? {}) as Record<string, Json>).map(
    ([name, field]) => `${comment(field.description)}${name}${needed.has(name) ? '' : '?'}: ${typeOf(field)};\n`,
  );
  const rest = others ? `[name: string]: ${typeOf(others as Json)};\n` : '';
  return `{\n${fields.join('')}${rest}}`;
}

function comment(text: unknown): string {
  const words = typeof text === 'string' ? text.split(' ') : [];
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < 100) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  if (lines.length < 2) return lines.map((line) => `/** ${line} */\n`).join('');
  return `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;
}

/** As `npm run format` writes it. */
function formatted(text: string): string {
  const biome = join(packageRoot(), 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [biome, 'format', '--stdin-file-path=types/generated.d.ts'],
    { input: text, encoding: 'utf8', cwd: packageRoot() },
  );
  if (status !== 0) throw new Error(stderr);
  return stdout;
}
