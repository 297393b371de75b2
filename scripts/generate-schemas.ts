/** Writes schemas/*.json from src/config and src/engine: `npx tsx scripts/generate-schemas.ts`. A test fails when they differ. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaFiles } from '../src/config/json-schema';
import { engineSchemaFiles } from '../src/engine/process/json-schema';
import { packageRoot } from '../src/paths';

for (const [name, text] of Object.entries({ ...schemaFiles(), ...engineSchemaFiles() })) {
  writeFileSync(join(packageRoot(), 'schemas', name), text);
  console.log(`schemas/${name}`);
}
