import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowedEnvironment, findNode } from './find-node';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-node-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program called node that says it is of this version. */
function fake(name: string, version: string): string {
  const place = join(folder, name);
  mkdirSync(place);
  const file = join(place, 'node');
  writeFileSync(file, `#!/bin/sh\necho ${version}\n`);
  chmodSync(file, 0o755);
  return place;
}
const places = (path: string, electron = false) => ({ path, execPath: process.execPath, electron });

describe.skipIf(process.platform === 'win32')(
  'the Node that hosts run in (fakes are shell scripts: not on Windows)',
  () => {
    it('is that of the setting, and nothing else when that is wrong', async () => {
      const good = join(fake('set', 'v22.3.0'), 'node');
      expect(await findNode(good, places(''))).toEqual({ command: good, env: {}, version: 'v22.3.0' });
      await expect(findNode(join(fake('set-old', 'v18.1.0'), 'node'))).rejects.toMatchObject({
        code: 'node',
        message: expect.stringContaining('too old'),
      });
      await expect(findNode(join(folder, 'nowhere'))).rejects.toThrow(/cannot be run as Node/);
    });

    it('is the first of PATH that is new enough, then the one that runs this', async () => {
      const [old, fine] = [fake('old', 'v16.0.0'), fake('fine', 'v20.1.0')];
      const path = ['', '.', join(folder, 'missing'), old, fine].join(delimiter);
      expect((await findNode('', places(path))).command).toBe(join(fine, 'node'));
      expect(await findNode(undefined, places(old))).toMatchObject({ command: process.execPath, env: {} });
      expect(await findNode(undefined, places(old, true))).toMatchObject({ env: { ELECTRON_RUN_AS_NODE: '1' } });
      await expect(findNode('', { ...places(old), execPath: join(old, 'node') })).rejects.toThrow(
        /no Node 20 or newer/,
      );
    });

    it('is never taken from a relative entry of PATH', async () => {
      const here = process.cwd();
      process.chdir(fake('workspace', 'v99.0.0'));
      try {
        expect((await findNode('', places(['.', ''].join(delimiter)))).version).toBe(process.version);
      } finally {
        process.chdir(here);
      }
    });
  },
);

it("a host gets the needed environment variables, no secrets and none of the editor's", () => {
  const given = {
    PATH: '/bin',
    Path: '/windows',
    HOME: '/home/me',
    LC_ALL: 'C',
    CUDA_VISIBLE_DEVICES: '0',
    DISTILLERY_THREADS: '2',
    NODE_OPTIONS: '--require ./evil.js',
    OPENAI_API_KEY: 'sk-1',
    DISTILLERY_API_KEY: 'sk-2',
    DISTILLERY_API_KEY_2: 'sk-3',
    DISTILLERY_AUTHTOKEN: 'x',
    DISTILLERY_CREDENTIALS: 'x',
    NCCL_IB_PKEY: '1',
    SLURM_JWT: 'x',
    VLLM_API_KEY_FILE: 'x',
    VLLM_TOKENIZER_MODE: 'auto',
    HF_TOKEN: 'hf_1',
    HF_HOME: '/models',
    AWS_SECRET_ACCESS_KEY: 'x',
    VSCODE_IPC_HOOK: '/tmp/x',
    ELECTRON_RUN_AS_NODE: '1',
    LD_PRELOAD: './evil.so',
  };
  expect(Object.keys(allowedEnvironment(given))).toEqual([
    'PATH',
    'Path',
    'HOME',
    'LC_ALL',
    'CUDA_VISIBLE_DEVICES',
    'DISTILLERY_THREADS',
    'NCCL_IB_PKEY',
    'VLLM_TOKENIZER_MODE',
    'HF_HOME',
  ]);
});
