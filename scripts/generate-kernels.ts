/** Generates the C headers from the kernel table: npx tsx scripts/generate-kernels.ts */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { choicesHeader, listHeader } from '../src/kernels/native/kernel-headers';
import { packageRoot } from '../src/paths';

const folder = join(packageRoot(), 'kernels');
writeFileSync(join(folder, 'list.h'), listHeader());
writeFileSync(join(folder, 'choices.h'), choicesHeader());
