import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../paths';
import { kernelForms, place, space } from '../testing/forms';
import { addonFile, openAddon } from './addon';
import { choicesHeader, listHeader } from './kernel-headers';
import { kernelList } from './library';
import { signatureOf } from './table';
import { openWasm, wasmFolder } from './wasm';

const kernels = join(packageRoot(), 'kernels');

test.each([
  ['list.h', listHeader()],
  ['choices.h', choicesHeader()],
])('kernels/%s is what the table says: `npx tsx scripts/generate-kernels.ts`', (name, wanted) => {
  expect(readFileSync(join(kernels, name), 'utf8')).toBe(wanted);
});

test('a call with too few, too many or other arguments than the table says is refused', async () => {
  for (const { name: form, one } of await kernelForms()) {
    for (const name of kernelList) {
      const kernel = one.kernels[name] as (...args: unknown[]) => void;
      const { fixed, group } = signatureOf(name);
      const data = space(one, 1);
      const fitting = [...fixed].map((kind) => (kind === 'n' ? 0 : data));
      const refused = (args: unknown[]) => expect(() => kernel(...args), `${form}: ${name}`);
      refused(fitting.slice(1)).toThrow(
        `kernel ${name}: ${fixed.length - 1} arguments, where it takes ${fixed.length}`,
      );
      if (group.length !== 1) refused([...fitting, 0]).toThrow(`kernel ${name}: ${fixed.length + 1} arguments`);
      const number = fixed.indexOf('n');
      refused(fitting.with(number, data)).toThrow(`kernel ${name}: argument ${number} is not a number`);
      const place = fixed.indexOf('d');
      if (place >= 0) refused(fitting.with(place, 1 as never)).toThrow(`kernel ${name}: argument ${place} is not data`);
      if (place >= 0) refused(fitting.with(place, null as never)).toThrow(`argument ${place} is not data`);
    }
  }
});

test('arguments that are no data, number or null are refused by name', async () => {
  for (const { name, one } of await kernelForms()) {
    const [x, out] = [place(one, Float32Array.of(1, 2)), space(one, 2)];
    const scale = one.kernels.scale as (...args: unknown[]) => void;
    expect(() => scale([1, 2], out, 2, 3), name).toThrow(/kernel scale: argument 0 is/);
    expect(() => scale(x, {}, 2, 3), name).toThrow(/kernel scale: argument 1 is/);
    scale(x, out, 2, 3);
    expect([...out]).toEqual([3, 6]);
    // TypeScript refuses the same calls, as it reads the arguments from the table.
    const { kernels } = one;
    // @ts-expect-error: the factor is missing
    expect(() => kernels.scale(x, out, 2), name).toThrow(/3 arguments, where it takes 4/);
    // @ts-expect-error: a number where data belong
    expect(() => kernels.scale(2, out, 2, 3), name).toThrow(/argument 0 is not data/);
    // @ts-expect-error: data where a number belongs
    expect(() => kernels.scale(x, out, out, 3), name).toThrow(/argument 2 is not a number/);
    // @ts-expect-error: null for data that are not optional
    expect(() => kernels.scale(x, null, 2, 3), name).toThrow(/argument 1 is not data/);
    // @ts-expect-error: a group that is not complete
    expect(() => kernels.sum_squares(out, 1, [[x]]), name).toThrow(/3 arguments, where it takes 2 and groups of 2/);
  }
});

const noAddon = existsSync(addonFile()) ? '' : ' (not built: needs a C compiler)';

describe.skipIf(noAddon)(`native addon${noAddon}`, () => {
  test('an instruction set that the processor lacks is refused', () => {
    expect(() => openAddon({ isa: 'mmx' })).toThrow(/does not support mmx; it supports .*generic|neon/);
  });

  test('works in worker threads, at the same time, and outlives them', async () => {
    const code = `
      const { parentPort } = require('node:worker_threads');
      const { kernels } = require(${JSON.stringify(addonFile())}).open(${JSON.stringify(openAddon().isa)}, 2);
      const a = new Float32Array(200 * 200).fill(1), c = new Float32Array(200 * 200);
      for (let i = 0; i < 30; i++) kernels.gemm(a, a, c, 0, 0, 1, 200, 200, 200, 0, 0, 0);
      parentPort.postMessage(c.every((x) => x === 200));
    `;
    const workers = [1, 2, 3].map(() => new Worker(code, { eval: true, execArgv: [] }));
    const right = await Promise.all(workers.map((worker) => new Promise((done) => worker.once('message', done))));
    expect(right).toEqual([true, true, true]);
    await Promise.all(workers.map((worker) => worker.terminate()));
    const { kernels: own } = openAddon({ threads: 2 });
    const c = new Float32Array(40_000);
    own.gemm(new Float32Array(40_000).fill(1), new Float32Array(40_000).fill(1), c, 0, 0, 1, 200, 200, 200, 0, 0, 0);
    expect(c.every((x) => x === 200)).toBe(true);
  });
});

describe('WebAssembly', () => {
  const toolchain =
    spawnSync('clang-19', ['--version']).status === 0 && spawnSync('wasm-ld-19', ['--version']).status === 0;
  const title = toolchain ? '' : ' (needs clang-19 and lld-19, which are not installed here)';

  test.skipIf(!toolchain)(
    `the checked-in modules are what their source gives${title}`,
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'distillery-wasm-'));
      try {
        execFileSync(process.execPath, [join(packageRoot(), 'scripts', 'build-wasm.mjs'), '--out', folder]);
        const names = readdirSync(folder);
        expect(names).toEqual(readdirSync(wasmFolder()));
        for (const name of names) {
          const same = readFileSync(join(folder, name)).equals(readFileSync(join(wasmFolder(), name)));
          expect(same, `${name}: kernels/ changed, so run \`npm run build:wasm\` and commit the result`).toBe(true);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    240_000,
  );

  test('grows without losing what it holds', () => {
    const library = openWasm({ threads: 1 });
    const x = place(library, Float32Array.of(1, 2, 3));
    const far = place(library, new Float32Array(20_000_000).fill(2));
    const out = space(library, 3);
    library.kernels.binary(2, x, far, out, 3);
    expect([...out]).toEqual([2, 4, 6]);
  });

  test('its threads do not keep the process from ending', () => {
    const script = join(packageRoot(), 'src', 'kernels', 'native', 'wasm.ts');
    const code = `const { openWasm } = require(${JSON.stringify(script)});
      const { kernels, memory } = openWasm({ threads: 3 });
      const { buffer, offset } = memory.allocate(4e6);
      const x = new Float32Array(buffer, offset, 1e6);
      setTimeout(() => { for (let i = 0; i < 20; i++) kernels.binary(0, x, x, x, 1e6); console.log('done'); }, 300);`;
    const tsx = join(packageRoot(), 'node_modules', 'tsx', 'dist', 'cli.mjs');
    const { stdout, status } = spawnSync(process.execPath, [tsx, '-e', code], { encoding: 'utf8', timeout: 180_000 });
    expect([stdout.trim(), status]).toEqual(['done', 0]);
  });
});
