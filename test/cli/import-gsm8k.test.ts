import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/paths';
import { type Distillery, openDistillery } from './distillery';

let distillery: Distillery;
let server: Server;
let mirror: string;
let asked: string[] = [];
/** The real training file, if it is next to the project; otherwise this check is skipped. */
const real = join(packageRoot(), '..', 'shared', 'data', 'gsm8k', 'train.jsonl');

beforeAll(async () => {
  distillery = await openDistillery();
  server = createServer(({ url = '' }, response) => {
    asked.push(url);
    if (url === '/copy/train.jsonl' && existsSync(real)) response.end(readFileSync(real));
    else response.end('{"question": "?", "answer": "#### 1"}\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/copy/`;
});
afterAll(() => {
  server?.closeAllConnections();
  server?.close();
  distillery?.close();
});

describe('distillery import gsm8k', () => {
  it('fetches nothing without consent', async () => {
    const { code, stderr } = await distillery.run('import', 'gsm8k', 'gsm8k', '--mirror', mirror);
    expect([code, asked]).toEqual([2, []]);
    expect(stderr).toContain('train.jsonl (4.2 MB) and test.jsonl (749.7 kB)');
    expect(stderr).toContain(mirror);
    expect(stderr).toContain('--yes');
  });

  it('takes the files only if they are the published ones', async ({ skip }) => {
    const { code, stderr } = await distillery.run('import', 'gsm8k', 'gsm8k', '--mirror', mirror, '--yes');
    // The mirror's test.jsonl (and without the real one beside the project its train.jsonl) is something else.
    expect([code, stderr]).toEqual([2, expect.stringContaining('a file other than the expected one')]);
    expect(existsSync(join(distillery.folder, 'gsm8k', 'test.jsonl'))).toBe(false);
    if (!existsSync(real)) skip(`${real} is not here, so the published file was not tested`);
    expect(asked).toEqual(['/copy/train.jsonl', '/copy/test.jsonl']);
    expect(readFileSync(join(distillery.folder, 'gsm8k', 'train.jsonl')).equals(readFileSync(real))).toBe(true);
    asked = [];
    await distillery.run('import', 'gsm8k', 'gsm8k', '--mirror', mirror, '--yes');
    expect(asked).toEqual(['/copy/test.jsonl']); // the other one exists already
  });
});
