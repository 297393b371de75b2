import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The tests' folder for temporary files. All of it is removed at the end, also what killed processes left. */
export default function cleanUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-t-'));
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
