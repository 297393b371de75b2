import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../paths';
import { schemaFiles } from './json-schema';

type Json = { [key: string]: unknown };
const files = schemaFiles();

/** Every sub-schema that describes a setting, with its path. */
function settings(schema: Json, path = ''): [string, Json][] {
  return Object.entries(schema).flatMap(([key, value]) => {
    if (typeof value !== 'object' || value === null || key === 'defaultSnippets' || key === 'default') return [];
    const inner = settings(value as Json, `${path}/${key}`);
    return path.endsWith('/properties') ? [[`${path}/${key}`, value as Json] as [string, Json], ...inner] : inner;
  });
}

it.each(Object.keys(files))('schemas/%s is what the source says', (name) => {
  const written = readFileSync(join(packageRoot(), 'schemas', name), 'utf8');
  expect(written === files[name], 'Run `npx tsx scripts/generate-schemas.ts`.').toBe(true);
});

it.each(Object.keys(files))('every setting in %s is described, and every choice too', (name) => {
  const found = settings(JSON.parse(files[name]));
  expect(found.length).toBeGreaterThan(50);
  for (const [path, schema] of found) {
    if (schema.$ref) continue;
    expect(schema.description, path).toMatch(/\S/);
    if (schema.enum) expect((schema.enumDescriptions as string[]).length, path).toBe((schema.enum as string[]).length);
  }
});

it('quick offers what the experiment has, without its required settings', () => {
  const { properties } = JSON.parse(files['experiment.schema.json']);
  expect(properties.quick.properties.stages).toEqual({ $ref: '#/properties/stages' });
  expect(JSON.stringify([properties.quick.properties.student, properties.quick.properties.data])).not.toMatch(
    /"(required|oneOf)":/,
  );
  expect(properties.student.required).toEqual(['path']);
});

it('offers a snippet for each component and each kind of data', () => {
  const reward = JSON.parse(files['reward.schema.json']);
  const { items } = reward.properties.components;
  expect(items.defaultSnippets.map(({ label }: { label: string }) => label)).toEqual(
    items.oneOf.map(({ properties: { use } }: { properties: { use: { enum?: string[] } } }) => use.enum?.[0] ?? 'code'),
  );
});
