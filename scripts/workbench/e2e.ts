/**
 * Packages the extension, installs the .vsix into a real VS Code and drives its window: test/workbench/e2e/*.e2e.ts.
 *   npm run test:e2e -- [--grep words] [--vsix file]
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Mocha from 'mocha';
import { UserError } from '../../src/errors';
import { packageRoot } from '../../src/paths';
import { retries, tellRetries } from '../../test/workbench/retries';
import { buildPackage } from './build';
import { workbenchForTests } from './install';

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { grep: { type: 'string' }, vsix: { type: 'string' } } });
  if (!(await workbenchForTests())) return 0;
  const scratch = mkdtempSync(join(tmpdir(), 'distillery-vsix-'));
  try {
    process.env.DISTILLERY_VSIX = values.vsix ?? buildPackage(join(scratch, 'distillery.vsix'));
    // A step of a test may wait for a run on a busy machine.
    const mocha = new Mocha({
      ui: 'tdd',
      reporter: 'spec',
      timeout: 300_000,
      slow: 60_000,
      retries,
      grep: values.grep,
    });
    const folder = join(packageRoot(), 'test/workbench/e2e');
    for (const name of readdirSync(folder).sort()) if (name.endsWith('.e2e.ts')) mocha.addFile(join(folder, name));
    return await new Promise((resolve) => {
      const runner = mocha.run((failures) => resolve(failures > 0 ? 1 : 0));
      tellRetries(runner, console.log);
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof UserError ? error.toString() : error);
    process.exit(1);
  },
);
