import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/paths';
import { faultRows, rowText } from './rows';

const doc = readFileSync(join(packageRoot(), 'docs', 'faults.md'), 'utf8');

it.each(faultRows.map((row) => [row.fault, row] as const))('docs/faults.md has the row: %s', (_, row) => {
  expect(doc).toContain(rowText(row).slice(0, -2));
  for (const [file, name] of row.tests) {
    expect(existsSync(join(packageRoot(), file)), file).toBe(true);
    const source = readFileSync(join(packageRoot(), file), 'utf8');
    expect(name.source === '.' || name.test(source), `${file}: no test ${name}`).toBe(true);
  }
});
