/**
 * Writes schemas/*.json from src/config and src/engine, schemas/run/*.json from src/runs, and from these the types of
 * the package's entries, types/*.d.ts: `npx tsx scripts/generate-schemas.ts`. Tests fail when they differ.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaFiles } from '../src/config/json-schema';
import { engineSchemaFiles } from '../src/engine/process/json-schema';
import { packageRoot } from '../src/paths';
import { packageTypeFiles } from './package-types';
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
write('types', packageTypeFiles());
