import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../src/paths';
import { recordSchemaFiles } from './record-schemas';

const files = recordSchemaFiles();

it.each(Object.keys(files))('schemas/run/%s is what the source says', (name) => {
  const written = readFileSync(join(packageRoot(), 'schemas', 'run', name), 'utf8');
  expect(written === files[name], 'Run `npx tsx scripts/generate-schemas.ts`.').toBe(true);
});

it('describes fields as the source does', () => {
  const rollout = JSON.parse(files['rollout.schema.json']);
  expect(rollout.properties.advantage.description).toBe('null: not recorded by another trainer.');
  expect(rollout.required).toContain('tokenTexts');
  expect(rollout.required).not.toContain('logProbs');
  expect(JSON.parse(files['failure.schema.json']).properties.samples.items.properties.unit.description).toMatch(
    /^The unit of `tokens`/,
  );
  expect(JSON.parse(files['evaluation.schema.json']).properties.unit.description).toMatch(/^The unit of `tokens`/);
});
