import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../paths';
import { engineSchemaFiles } from './json-schema';
import { methods } from './wire';

const files = engineSchemaFiles();

it.each(Object.keys(files))('schemas/%s is what the source says', (name) => {
  const written = readFileSync(join(packageRoot(), 'schemas', name), 'utf8');
  expect(written === files[name], 'Run `npx tsx scripts/generate-schemas.ts`.').toBe(true);
});

it('docs/engine.md names every request and every field of it', () => {
  const text = readFileSync(join(packageRoot(), 'docs', 'engine.md'), 'utf8');
  for (const [method, { params, result }] of Object.entries(methods))
    for (const field of [...Object.keys(params.shape), ...Object.keys(result.shape)])
      expect(text, `${method}: ${field}`).toMatch(new RegExp(`\\b${field}\\b`));
});
