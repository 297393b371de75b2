/**
 * Writes schemas/*.json from src/config and src/engine and schemas/run/*.json from src/runs: `npx tsx
 * scripts/generate-schemas.ts`. Tests fail when they differ.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaFiles } from '../src/config/json-schema';
import { engineSchemaFiles } from '../src/engine/process/json-schema';
import { packageRoot } from '../src/paths';
import { recordSchemaFiles } from './record-schemas';

const write = (folder: string, files: Record<string, string>) => {
  mkdirSync(join(packageRoot(), folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(packageRoot(), folder, name), text);
    console.log(`${folder}/${name}`);
  }
};

write('schemas', schemaFiles());
write('schemas', engineSchemaFiles());
write('schemas/run', recordSchemaFiles());
