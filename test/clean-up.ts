import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const begin = 'distillery-t-';

/**
 * The tests' folder for temporary files, one for both projects of vitest.config.ts. All of it is removed at the end,
 * also what killed processes left.
 */
export default function cleanUp(): () => void {
  if (basename(tmpdir()).startsWith(begin)) return () => {};
  const folder = mkdtempSync(join(tmpdir(), begin));
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
