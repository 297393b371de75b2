// Builds the modules of kernels/wasm: one with plain 128-bit SIMD, and one with relaxed SIMD, which has a fused
// multiply-add. They are checked in, so only changes to the kernels require a build. Needs clang and wasm-ld of version
// 19 (Debian: apt-get install clang-19 lld-19), as other versions produce other bytes, and a test compares them.
//   --out <folder>    write to another folder
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const kernels = join(dirname(fileURLToPath(import.meta.url)), '..', 'kernels');
const at = process.argv.indexOf('--out');
const out = at > 0 ? resolve(process.argv[at + 1]) : join(kernels, 'wasm');

if (spawnSync('clang-19', ['--version']).status !== 0 || spawnSync('wasm-ld-19', ['--version']).status !== 0) {
  console.error('build-wasm: needs clang-19 and wasm-ld-19 (Debian: apt-get install clang-19 lld-19)');
  process.exit(1);
}
mkdirSync(out, { recursive: true });
const features = ['-msimd128', '-matomics', '-mbulk-memory'];
const link = [
  '--no-entry',
  '--import-memory',
  '--shared-memory',
  `--max-memory=${2 ** 32}`,
  '--stack-first',
  '-zstack-size=1048576',
  '--export=__heap_base',
  '--export=__stack_pointer',
  '--export=__tls_size',
  '--export=__wasm_init_tls',
  '--strip-all',
];

/** Compiles from within the folder, so that its path does not appear in the file. */
const build = (file, options) =>
  promisify(execFile)(
    'clang-19',
    [
      ...['--target=wasm32', '-std=gnu11', '-O3', ...features, ...options, '-ffreestanding', '-nostdlib'],
      ...['-fno-math-errno', '-ffp-contract=fast', '-fvisibility=hidden', 'wasm.c', '-o', join(out, file)],
      ...link.map((option) => `-Wl,${option}`),
    ],
    { cwd: kernels },
  );

await Promise.all([build('distillery.wasm', []), build('distillery-relaxed.wasm', ['-mrelaxed-simd'])]);
