/** The engine protocol as JSON schema (schemas/engine.schema.json), for authors of engines in other languages. */
import * as z from 'zod';
import { fault, methods, progress } from './wire';

type Json = Record<string, unknown>;

/** The text of each schema file, by its name in schemas/. */
export function engineSchemaFiles(): Record<string, string> {
  const requests = Object.fromEntries(
    Object.entries(methods).map(([method, { params, result }]) => [
      method,
      { type: 'object', properties: { params: convert(params), result: convert(result) } },
    ]),
  );
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Distillery engine protocol',
    description: 'Parameters and result of every request, progress, and the data of an error: docs/engine.md.',
    definitions: { ...requests, progress: convert(progress), error: convert(fault) },
  };
  return { 'engine.schema.json': `${JSON.stringify(schema, null, 2)}\n` };
}

/** As transmitted: arrays are encoded texts. Unknown fields must be ignored, so the schema allows them. */
function convert(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as Json;
  return json;
}
